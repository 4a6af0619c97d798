// Where a command starts.

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { getuid } from 'node:process';
import { test } from 'node:test';
import { aDirectory } from '../../test/kit/directory.ts';
import { hasProc } from '../../test/kit/proc.ts';
import { argv, aRunner, finish, sh } from '../../test/kit/runner.ts';
import { doneIn } from './place.ts';
import { lookUpUser } from './user.ts';

const LIMIT = { timeout: 20_000 };
const env = {};

test('a command starts where it is said, from the root or from where commands start', LIMIT, async (t) => {
  const home = realpathSync(aDirectory(t));
  const inner = join(home, 'in ner');
  mkdirSync(inner);
  const runner = aRunner(t, { cwd: home });
  for (const [cwd, there] of [
    [inner, inner],
    ['in ner', inner],
    ['./in ner/..', home],
    ['/', '/'],
  ] as const) {
    for (const command of [sh('pwd -P'), argv('/bin/pwd', '-P')]) {
      assert.equal((await finish(runner.start({ command, env, cwd }))).stdout, `${there}\n`);
    }
  }
  assert.equal((await finish(runner.start({ command: sh('pwd -P'), env }))).stdout, `${home}\n`, 'nothing stays of it');
  writeFileSync(join(inner, 'mine'), '#!/bin/sh\necho mine\n', { mode: 0o755 });
  assert.equal((await finish(runner.start({ command: argv('./mine'), env, cwd: inner }))).stdout, 'mine\n');
});

test('where it cannot be nothing starts, with 127 or 126 and words', LIMIT, async (t) => {
  const home = aDirectory(t);
  const runner = aRunner(t, { cwd: home });
  writeFileSync(join(home, 'file'), '');
  for (const [cwd, status, why] of [
    ['/no/such', 127, 'there is no such directory'],
    ['file', 126, 'not a directory'],
    ['~', 127, 'there is no such directory'],
    ['x'.repeat(300), 126, 'name too long'],
  ] as const) {
    const { result, stdout, stderr } = await finish(runner.start({ command: sh('echo started'), env, cwd }));
    assert.deepEqual([result, stdout], [{ result: 'exited', status }, ''], cwd);
    assert.equal(stderr, `partyline: Cannot run echo started in ${cwd.slice(0, 200)}: ${why}; nothing was started\n`);
  }
  for (const [line, name] of [
    ['exec "${SHELL:-/bin/sh}" -l', 'a login shell'],
    ['\nuptime\nreboot\n', 'uptime'],
  ] as const) {
    const { stderr } = await finish(runner.start({ command: sh(line), env, cwd: '/no/such' }));
    const why = 'there is no such directory; nothing was started';
    assert.equal(stderr, `partyline: Cannot run ${name} in /no/such: ${why}\n`);
  }
  const missing = await finish(runner.start({ command: argv('no-such-program'), env, cwd: '/' }));
  assert.equal(missing.stderr, 'partyline: no-such-program: not found\n');
});

test(
  'another user gets nowhere where it could not go by itself, whatever a link says',
  { ...LIMIT, skip: getuid?.() !== 0 && 'only root may change users' },
  async (t) => {
    const user = await lookUpUser('nobody');
    assert.ok(!('reason' in user));
    const directory = aDirectory(t);
    chmodSync(directory, 0o755);
    const closed = join(directory, 'closed');
    mkdirSync(closed, { mode: 0o700 });
    mkdirSync(join(closed, 'open'), { mode: 0o755 });
    writeFileSync(join(closed, 'open', 'secret'), 'secret\n', { mode: 0o644 });
    symlinkSync('closed/open', join(directory, 'link'));
    mkdirSync(join(directory, 'open'), { mode: 0o755 });
    const runner = aRunner(t, { user });
    for (const cwd of ['closed', 'closed/open', 'link']) {
      const where = join(directory, cwd);
      const { result, stdout, stderr } = await finish(
        runner.start({ command: argv('cat', 'secret'), env, cwd: where }),
      );
      assert.deepEqual([result, stdout], [{ result: 'exited', status: 126 }, '']);
      assert.equal(stderr, `partyline: Cannot run cat in ${where}: permission denied; nothing was started\n`);
    }
    const open = await finish(runner.start({ command: sh('id -u; id -G; pwd'), env, cwd: join(directory, 'open') }));
    assert.equal(open.stdout, `${user.uid}\n${user.gid}\n${join(directory, 'open')}\n`);
    assert.equal((await finish(runner.start({ command: sh('pwd'), env }))).stdout, '/\n');
  },
);

test('whatever goes wrong there, who does it is afterwards who and where it was', (t) => {
  const before = process.cwd();
  t.after(() => process.chdir(before));
  const directory = realpathSync(aDirectory(t));
  chmodSync(directory, 0o755);
  const other = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined;
  const ids = () => [process.getuid?.(), process.geteuid?.(), process.getegid?.()];
  const own = ids();
  assert.deepEqual(
    doneIn(directory, other, () => [process.cwd(), ...ids()]),
    [directory, ...own],
  );
  assert.deepEqual([process.cwd(), ...ids()], ['/', ...own]);
  const wrong = new Error('it went wrong');
  assert.throws(
    () =>
      doneIn(directory, other, () => {
        throw wrong;
      }),
    wrong,
  );
  assert.throws(() => doneIn(join(directory, 'none'), other, assert.fail), { code: 'ENOENT' });
  assert.deepEqual([process.cwd(), ...ids()], ['/', ...own]);
});

test('the process that starts commands keeps no directory in use', LIMIT, async (t) => {
  if (!hasProc(t)) return;
  const there = await finish(aRunner(t).start({ command: sh('readlink /proc/$PPID/cwd'), env }));
  assert.equal(there.stdout, '/\n');
});
