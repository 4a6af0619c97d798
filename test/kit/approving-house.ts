// A house in which one command needs a second person: who asks, who approves, natively and at `nc`, on a clock that stands still.

import assert from 'node:assert/strict';
import type { Policy } from '../../src/core/run/policy.ts';
import { parsePolicy } from '../../src/core/run/policy-file.ts';
import { runAsk } from '../../src/protocol/native/methods/approval.ts';
import { aNativeHouse } from './native-house.ts';
import type { Talker } from './talker.ts';

/** One rule, by which one of these approves. */
export function thatApprovedBy(...names: readonly string[]): Policy {
  const rule = `
[[allow]]
who = ["janaki", "eve"]
on = "Server"
run = ["reboot **"]
approve = ${JSON.stringify(names)}
`;
  const policy = parsePolicy(rule);
  return 'refused' in policy ? assert.fail(JSON.stringify(policy)) : policy;
}

export const REBOOT = { command: { argv: ['reboot', '-f'] }, timeoutMs: 9, env: { LANG: 'C' } };
export const STREAMS = { stdin: 1, stdout: 3, stderr: 5 };

export async function anApprovingHouse(host: string) {
  const policy = thatApprovedBy('eve', 'prashanth');
  const time = { ms: 0 };
  const house = await aNativeHouse(host, { policy, isServerOpen: true, clock: () => time.ms, receiptWaitMs: 0 });
  const tokens = new Map<string, { token: string }>();
  for (const name of ['Janaki', 'Eve', 'Prashanth', 'Bob']) tokens.set(name, await house.account(name));
  const tokenOf = (name: string) => tokens.get(name)?.token ?? assert.fail(name);
  return {
    ...house,
    time,
    tokenOf,
    async as(name: string) {
      const talker = await house.talk();
      await talker.ask('login.token', { token: tokenOf(name) });
      return talker;
    },
    async line(name: string) {
      const caller = await house.nc();
      caller.type(name);
      await caller.until(/^Format: .*\n\n/m);
      return caller;
    },
    [Symbol.asyncDispose]: () => house[Symbol.asyncDispose](),
  };
}

/** What another connection does is not answered here: asked again, as often as it may take. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let asked = 0; !(await isSo()); asked++) assert.ok(asked < 10_000, 'waited in vain');
}

export async function askFor(talker: Talker, wishes: object = REBOOT) {
  const answer = await talker.ask('run.ask', wishes);
  return runAsk.parseResult(answer) ?? assert.fail(JSON.stringify(answer));
}
