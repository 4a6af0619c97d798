// `partyline run` over a long line: how often the two have to hear each other before the command runs.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { newAccount } from '../kit/accounts.ts';
import { aDirectory } from '../kit/directory.ts';
import { writePolicy } from '../kit/policy.ts';
import { outcomeOf, partyline } from '../kit/program.ts';
import { aRelay, type Relay, type RelayOptions } from '../kit/relay.ts';
import { at, LOOPBACKS, startServer, type TestServer } from '../kit/server.ts';

/** Milliseconds each way. */
const LATE_BY_MS = 50;
/** The same, so that a command acts before the client hears of the login; less than the silence that is greeted as a person's. */
const VERY_LATE_BY_MS = 150;
const POLICY = '[[allow]]\nwho = ["role:member"]\non = "Server"\nshell = true\n';
/** When it runs, in nanoseconds of the epoch. */
const LINE = 'date +%s%N';

interface Place {
  readonly server: TestServer;
  readonly relay: Relay;
  /** `token`: another one than the member's. */
  readonly run: (line: string, token?: string) => ReturnType<typeof partyline>;
  /** Of nobody. */
  readonly wrong: string;
}

async function aPlace(t: TestContext, host: string, { lateByMs = LATE_BY_MS }: RelayOptions = {}): Promise<Place> {
  const [directory, own] = [aDirectory(t), aDirectory(t)];
  writePolicy(directory, POLICY);
  const server = await startServer({ directory, args: ['--run-as', userInfo().username] });
  const relay = await aRelay(host, server.port, { lateByMs });
  t.after(async () => {
    await relay[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });
  const tokenFile = join(own, 'token');
  const member = await newAccount('janaki', server);
  return {
    server,
    relay,
    wrong: `pl_${'A'.repeat(member.length - 'pl_'.length)}`,
    run(line, token = member) {
      writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });
      const env = { PARTYLINE_DATA: own, PARTYLINE_TOKEN_FILE: tokenFile };
      return partyline(['run', `tls://${at(host, relay.port)}`, '--', line], { env });
    },
  };
}

for (const host of LOOPBACKS) {
  test(`a member’s command runs when the client has spoken twice, by TLS whose key is known: ${host}`, async (t) => {
    const { relay, run } = await aPlace(t, host);
    const turnsBefore = async () => {
      const carried = relay.next();
      const { status, stdout, stderr } = await outcomeOf(run(LINE));
      assert.equal(status, 0, stderr);
      await carried.over;
      const ranAt = Number(BigInt(stdout) / 1_000_000n);
      return carried.turns.filter((spokeAt) => spokeAt < ranAt).length;
    };
    // The hello of TLS; its end with the preface; the login with the command, to a server that is met for the first time.
    assert.equal(await turnsBefore(), 3);
    // The hello of TLS; its end with the preface, the login and the command.
    assert.equal(await turnsBefore(), 2);
  });

  test(`behind a login that is refused nothing runs, and that is what is said: ${host}`, async (t) => {
    const { server, run, wrong } = await aPlace(t, host);
    const made = join(aDirectory(t), 'made');
    const known = await outcomeOf(run('true'));
    assert.equal(known.status, 0, known.stderr);
    const { status, stdout, stderr } = await outcomeOf(run(`echo > ${made}`, wrong), 'input\n');
    assert.deepEqual([status, stdout, stderr], [255, '', 'partyline run: Cannot log in: the token is not valid\n']);
    const again = await outcomeOf(run(`test ! -e ${made}`));
    assert.equal(again.status, 0, again.stderr);
    const given = server.program.stdout.text.split('\n').filter((line) => line.startsWith('Given command'));
    assert.equal(given.length, 2, given.join('\n'));
  });

  test(`what runs before the answer to the login has come back is ended by an interruption: ${host}`, async (t) => {
    const { run } = await aPlace(t, host, { lateByMs: VERY_LATE_BY_MS });
    const ours = join(aDirectory(t), 'ours');
    const theirs = join(aDirectory(t), 'theirs');
    const known = await outcomeOf(run('true'));
    assert.equal(known.status, 0, known.stderr);
    const line = `echo $$ > ${theirs}; kill -INT $(cat ${ours}); exec sleep 1000`;
    await using program = run(line);
    writeFileSync(ours, String(program.pid));
    const { status, stdout, stderr } = await outcomeOf(program);
    // Nothing is said of a command that has ended, as the server has confirmed.
    assert.deepEqual([status, stdout, stderr], [130, '', '']);
    const gone = await outcomeOf(run(`! kill -0 $(cat ${theirs})`));
    assert.equal(gone.status, 0, gone.stderr);
  });
}
