import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { aDirectory } from '../../test/kit/directory.ts';
import { ROOT } from '../../test/kit/program.ts';
import { aRunner, argv, finish, sh } from '../../test/kit/runner.ts';
import { baseEnvironment, commandEnvironment } from './environment.ts';
import { findOwnProgram, withOwnProgram } from './own-program.ts';

test('commands find this very program, behind all else that is on their PATH', async (t) => {
  const runner = aRunner(t, { environment: { PATH: '/usr/bin:/bin' } });
  const { stdout } = await finish(runner.start({ command: sh('echo "$PATH"; command -v partyline'), env: {} }));
  assert.equal(stdout, `/usr/bin:/bin:${ROOT}\n${join(ROOT, 'partyline')}\n`);
  const version = await finish(runner.start({ command: argv('partyline', '--version'), env: {} }));
  assert.deepEqual(version.result, { result: 'exited', status: 0 });
  const missing = await finish(runner.start({ command: argv('no-such-program'), env: {} }));
  assert.deepEqual(missing.result, { result: 'exited', status: 127 });
});

test('what a client asks for moves nothing of it', () => {
  const base = baseEnvironment({ server: { PATH: '/bin' }, ownProgram: '/srv/partyline' });
  const environment = commandEnvironment({ PATH: '/evil' }, base);
  assert.equal(environment['PATH'], '/bin:/srv/partyline');
  const plain = baseEnvironment({ server: { PATH: '/bin' } });
  assert.equal(plain['PATH'], '/bin');
});

test('a directory that is on the PATH already stays where it is', () => {
  assert.equal(withOwnProgram('/srv/p:/bin', '/srv/p'), '/srv/p:/bin');
  assert.equal(withOwnProgram('/bin', undefined), '/bin');
});

test('another user gets it only where everybody may go and execute it', (t) => {
  const directory = join(aDirectory(t), 'of', 'it');
  mkdirSync(directory, { recursive: true });
  assert.equal(findOwnProgram(false, directory), undefined, 'there is no program');
  writeFileSync(join(directory, 'partyline'), '#!/bin/sh\n', { mode: 0o755 });
  chmodSync(join(directory, '..', '..'), 0o755);
  assert.deepEqual([findOwnProgram(false, directory), findOwnProgram(true, directory)], [directory, directory]);
  chmodSync(join(directory, '..'), 0o700);
  assert.deepEqual([findOwnProgram(false, directory), findOwnProgram(true, directory)], [directory, undefined]);
  chmodSync(join(directory, '..'), 0o755);
  chmodSync(join(directory, 'partyline'), 0o750);
  assert.equal(findOwnProgram(true, directory), undefined);
  assert.equal(findOwnProgram(false, '/a:b'), undefined, 'it would be two');
});
