// Somebody at the command line: whose state is in a directory, towards one server.

import assert from 'node:assert/strict';
import { outcomeOf, partyline, type Outcome } from './program.ts';

export interface Someone {
  /** As a script calls it. */
  run(args: readonly string[], input?: string): Promise<Outcome>;
  /** With `--json`: the objects, of a command that must succeed. */
  json(...args: string[]): Promise<Record<string, unknown>[]>;
}

export function someone(directory: string, host: string): Someone {
  const env = { PARTYLINE_DATA: directory, PARTYLINE_HOST: host, PARTYLINE_TOKEN_FILE: '' };
  const run: Someone['run'] = (args, input = '') => outcomeOf(partyline(args, { env }), input);
  const json: Someone['json'] = async (...args) => {
    const { status, stdout, stderr } = await run([...args, '--json']);
    assert.equal(status, 0, stderr);
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line): Record<string, unknown> => JSON.parse(line));
  };
  return { run, json };
}

interface Invited {
  readonly owner: Someone;
  /** Where the new one's token is kept. */
  readonly state: string;
  readonly target: string;
  /** `member` without it. */
  readonly role?: 'operator';
}

/** Somebody new, whom the owner has invited, without a password. */
export async function loggedIn(name: string, { owner, state, target, role }: Invited): Promise<Someone> {
  const [invited] = await owner.json('invite', name, ...(role === undefined ? [] : ['--role', role]));
  const invitee = someone(state, target);
  const { status, stderr } = await invitee.run(['login', '--code', '-'], `${String(invited?.['code'])}\n\n`);
  assert.equal(status, 0, stderr);
  return invitee;
}

/** It said why in one line, and printed nothing. */
export function refused({ status, stdout, stderr }: Outcome, pattern: RegExp, expected = 1): void {
  assert.equal(status, expected, stderr);
  assert.equal(stdout, '');
  assert.match(stderr, pattern);
  assert.equal(stderr.trim().split('\n').length, 1);
}
