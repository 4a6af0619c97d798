// What whoever started a server, or a machine, had open is no command's: neither a file that only root may read nor a lock.

import assert from 'node:assert/strict';
import { closeSync, openSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { aDirectory } from '../kit/directory.ts';
import { aMachine } from '../kit/machine.ts';
import { needs } from '../kit/needs.ts';
import { hasProc } from '../kit/proc.ts';
import { outcomeOf, PASSED, PARTYLINE, partyline, start } from '../kit/program.ts';
import { at, LOOPBACKS, startServer } from '../kit/server.ts';

/** Says what is open there, and nothing of the list itself. */
const LOOK = `readlink /proc/$$/fd/${PASSED}; echo "looked $(id -un)"`;

/** A file of ours alone, and a program that is started by somebody who has it open. */
function aSecret(t: TestContext) {
  const secret = join(realpathSync(aDirectory(t)), 'secret');
  writeFileSync(secret, 'nobody else is to read this\n', { mode: 0o600 });
  const passes = openSync(secret, 'r');
  t.after(() => closeSync(passes));
  const launch: typeof partyline = (args, options) => start(PARTYLINE, args, { ...options, passes });
  return { secret, passes, launch };
}

for (const host of LOOPBACKS) {
  for (const [who, args, privileges] of [
    ['the server’s user', [], {}],
    ['another user', ['--run-as', 'nobody'], { root: true }],
  ] as const) {
    test(`a command has nothing of what the server was started with, as ${who}: ${host}`, async (t) => {
      if (!hasProc(t) || !needs(t, ['readlink', 'id'], privileges)) return;
      const { secret, passes, launch } = aSecret(t);
      const given = await outcomeOf(start('/bin/sh', ['-c', LOOK], { passes }));
      assert.ok(given.stdout.startsWith(`${secret}\n`), 'whoever is started so has it');
      await using server = await startServer({ args, launch });
      const name = args.length > 0 ? 'nobody' : given.stdout.trim().split(' ').at(-1);
      const run = (options: readonly string[]) =>
        outcomeOf(partyline(['run', at(host, server.port), ...options, '--', LOOK], { env: server.env }));
      assert.deepEqual(await run([]), { status: 0, stdout: `looked ${name}\n`, stderr: '' });
      assert.deepEqual(await run(['-tt']), { status: 0, stdout: `looked ${name}\r\n`, stderr: '' });
    });
  }

  test(`a command has nothing of what its machine was started with: ${host}`, async (t) => {
    if (!hasProc(t) || !needs(t, ['readlink', 'id'])) return;
    const { launch } = aSecret(t);
    await using server = await startServer();
    await using _web1 = await aMachine('web1', server, host, { launch });
    const run = (options: readonly string[]) =>
      outcomeOf(partyline(['run', at(host, server.port), '--on', 'web1', ...options, '--', LOOK], { env: server.env }));
    for (const options of [[], ['-tt']]) assert.match((await run(options)).stdout, /^looked [^\n]*\n$/);
  });
}
