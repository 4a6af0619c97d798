// Commands in a terminal: what they see of it, how they end, and that nothing of it stays.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, linkSync, readdirSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { getuid } from 'node:process';
import { test, type TestContext } from 'node:test';
import type { Run } from '../core/ports.ts';
import { aDirectory } from '../../test/kit/directory.ts';
import { hasProc, until } from '../../test/kit/proc.ts';
import { argv, aRunner, bytes, finish, lifeline, sh } from '../../test/kit/runner.ts';
import { needs } from '../../test/kit/needs.ts';
import type { Hold } from './control.ts';
import { lookUpUser } from './user.ts';

const LIMIT = { timeout: 60_000 };
const env = {};
const terminal = { columns: 100, rows: 30 };

/** What it says, and when it has said that it is ready. */
function follow(run: Run): { readonly ready: Promise<void>; readonly text: string } {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const said = { ready: promise, text: '' };
  run.stdout.onData((chunk) => {
    said.text += Buffer.from(chunk).toString();
    if (said.text.includes('ready\r\n')) resolve();
  });
  run.stdout.onEnd(() => reject(new Error(`it ended without being ready: ${said.text}`)));
  run.stdout.resume();
  run.stderr.resume();
  return said;
}

test('a command has a terminal of the size that was asked for, and nothing else open', LIMIT, async (t) => {
  const command = sh(
    'tty; stty size; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo all; for fd in 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$fd ] && echo $fd; done; echo oh >&2',
  );
  const { stdout, stderr, result } = await finish(aRunner(t).start({ command, env, terminal }));
  assert.match(stdout, /^\/dev\/pts\/\d+\r\n30 100\r\nall\r\noh\r\n$/);
  assert.deepEqual([stderr, result], ['', { result: 'exited', status: 0 }]);
});

test(
  'what is passed on to the command is passed to nobody else, whatever the server lets through',
  LIMIT,
  async (t) => {
    if (!hasProc(t)) return;
    const given = { DEPLOY_ENV: 'test', UV_USE_IO_URING: '0', TERM: 'dumb' };
    const command = sh('echo "$DEPLOY_ENV $UV_USE_IO_URING"; tr "\\0" "\\n" < /proc/$PPID/environ');
    const { stdout } = await finish(aRunner(t).start({ command, env: given, terminal }));
    const [own, ...parents] = stdout.trimEnd().split('\r\n');
    assert.equal(own, 'test 0');
    assert.deepEqual(
      parents.map((line) => line.replace(/=.*$/, '')),
      ['PARTYLINE_RUN', 'NODE_CHANNEL_FD', 'NODE_CHANNEL_SERIALIZATION_MODE'],
    );
  },
);

/** Another name of the Node that runs this. */
function anotherNode(t: TestContext): string {
  const path = join(realpathSync(aDirectory(t)), 'node');
  try {
    linkSync(process.execPath, path);
  } catch {
    // On another file system.
    copyFileSync(process.execPath, path);
  }
  return path;
}

test('where no terminal can be opened, no command is said to be missing', LIMIT, (t) => {
  const node = anotherNode(t);
  const script = join(import.meta.dirname, '../../test/kit/without-node.ts');
  const said: unknown = JSON.parse(execFileSync(node, [script, join(aDirectory(t), 'run')], { encoding: 'utf8' }));
  const reason = `Cannot open a terminal: ${node}: no such file or directory; nothing was started`;
  assert.deepEqual(said, {
    before: { result: { result: 'exited', status: 0 }, stdout: 'before\n', stderr: '' },
    after: { result: { result: 'denied', status: null, reason }, stdout: '', stderr: '' },
  });
});

test('it ends with the status that it had, as without a terminal', LIMIT, async (t) => {
  const runner = aRunner(t);
  for (const [command, result] of [
    [sh('exit 5'), { result: 'exited', status: 5 }],
    [argv('sh', '-c', 'exit 255'), { result: 'exited', status: 255 }],
    [sh('kill -9 $$'), { result: 'signalled', status: 137, signal: 9 }],
    [argv('no-such-program'), { result: 'exited', status: 127 }],
    [argv('/etc/passwd'), { result: 'exited', status: 126 }],
  ] as const) {
    assert.deepEqual((await finish(runner.start({ command, env, terminal }))).result, result);
  }
  const slow = runner.start({ command: sh('sleep 1000'), env, terminal, timeoutMs: 300 });
  assert.deepEqual((await finish(slow)).result, { result: 'timeout', status: 124 });
  const words = await finish(runner.start({ command: argv('printf', '%s|', '$HOME', 'a  b', ''), env, terminal }));
  assert.equal(words.stdout, '$HOME|a  b||');
});

test('the last words of a command that ends at once are not lost', LIMIT, async (t) => {
  const runner = aRunner(t);
  const command = sh('seq 20000');
  const expected = Array.from({ length: 20_000 }, (_, index) => `${index + 1}\r\n`).join('');
  for (let round = 0; round < 5; round++) {
    assert.equal((await finish(runner.start({ command, env, terminal }))).stdout, expected);
  }
});

test('a new size is told to the command, also before it has begun', LIMIT, async (t) => {
  const run = aRunner(t).start({
    command: sh('trap "stty size; exit 3" WINCH; stty size; echo ready; while :; do sleep 0.01; done'),
    env,
    terminal,
  });
  run.resize({ columns: 90, rows: 20 });
  const said = follow(run);
  await said.ready;
  run.resize({ columns: 132, rows: 43 });
  assert.deepEqual(await run.ended, { result: 'exited', status: 3 });
  assert.match(said.text, /^(?:20 90|30 100)\r\nready\r\n43 132\r\n$/);
});

test('Ctrl-C is the command’s, and an end of input is typed as one', LIMIT, async (t) => {
  const runner = aRunner(t);
  const run = runner.start({
    command: sh('trap "echo got it; exit 7" INT; echo ready; while :; do sleep 0.01; done'),
    env,
    terminal,
  });
  const said = follow(run);
  await said.ready;
  run.stdin.write(bytes('\x03'));
  assert.deepEqual(await run.ended, { result: 'exited', status: 7 });
  assert.match(said.text, /got it/);
  for (const [input, expected] of [
    ['abc\n', 'abc\r\nabc\r\n'],
    ['abc', 'abcabc'],
    ['', ''],
  ] as const) {
    const { stdout: out, result } = await finish(runner.start({ command: argv('cat'), env, terminal }), input);
    assert.deepEqual([out, result], [expected, { result: 'exited', status: 0 }]);
  }
});

test('what is pasted waits for a command that is slow to read, and comes whole', LIMIT, async (t) => {
  const line = `${'x'.repeat(99)}\n`;
  const command = sh('stty -echo; echo ready; sleep 0.3; head -c 1000000 | cksum');
  const run = aRunner(t).start({ command, env, terminal });
  const said = follow(run);
  await said.ready;
  const whole = bytes(line.repeat(10_000));
  for (let at = 0; at < whole.length; at += 50_000) run.stdin.write(whole.subarray(at, at + 50_000));
  assert.deepEqual(await run.ended, { result: 'exited', status: 0 });
  const own = await finish(aRunner(t).start({ command: argv('cksum'), env }), line.repeat(10_000));
  assert.ok(said.text.includes(own.stdout.trim()), said.text);
});

for (const hold of ['cgroup', 'mark', 'group'] as const satisfies readonly Hold[]) {
  test(`nothing of it is left when it was cancelled, and the terminal is gone: ${hold}`, LIMIT, async (t) => {
    if (!hasProc(t) || !needs(t, ['setsid'])) return;
    const runner = aRunner(t, { hold });
    const alive = lifeline(t);
    const others = hold === 'group' ? '' : 'setsid sh -c "trap : HUP TERM; while :; do sleep 1000; done" &';
    const command = sh(`exec 9>${alive.path}; tty; trap "" HUP TERM; ${others} sleep 1000 & echo ready; sleep 1000`);
    const run = runner.start({ command, env, terminal });
    const said = follow(run);
    await said.ready;
    const path = /\/dev\/pts\/\d+/.exec(said.text)?.[0] ?? assert.fail(said.text);
    run.cancel();
    const { result } = await run.ended;
    assert.equal(result, 'cancelled');
    if (hold !== 'group') await alive.gone();
    await until(() => !existsSync(path) || hold === 'group', 'the terminal is gone');
  });
}

test('who is left behind in a terminal is ended with the run, which does not wait for it', LIMIT, async (t) => {
  const alive = lifeline(t);
  const command = sh(`exec 9>${alive.path}; nohup sleep 1000 >/dev/null 2>&1 & echo bye`);
  const { stdout, result } = await finish(aRunner(t).start({ command, env, terminal }));
  assert.deepEqual([stdout, result], ['bye\r\n', { result: 'exited', status: 0 }]);
  await alive.gone();
});

test('what is started meanwhile has nothing of a terminal open', LIMIT, async (t) => {
  if (!hasProc(t)) return;
  const runner = aRunner(t);
  const typing = runner.start({ command: argv('cat'), env, terminal });
  const echoed = Promise.withResolvers<void>();
  typing.stdout.onData(() => echoed.resolve());
  typing.stdout.resume();
  typing.stderr.resume();
  typing.stdin.write(bytes('hello\n'));
  await echoed.promise;
  for (const with_ of [{}, { terminal }]) {
    const { stdout } = await finish(runner.start({ command: sh('ls -l /proc/$$/fd'), env, ...with_ }));
    assert.doesNotMatch(stdout, /ptmx/);
  }
  // The runner process has none either: one that is killed takes no terminal with it into another command.
  typing.stdin.end();
  assert.deepEqual(await typing.ended, { result: 'exited', status: 0 });
  const open = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  assert.ok(!open.some((path) => path.includes('ptmx')));
});

test(
  'another user has the terminal as its own, and nothing of root',
  { ...LIMIT, skip: getuid?.() !== 0 && 'only root may change users' },
  async (t) => {
    const user = await lookUpUser('nobody');
    assert.ok(!('reason' in user));
    const runner = aRunner(t, { user });
    const command = sh('id -u; id -g; id -G; pwd; stat -c "%u %a" $(tty); : <>$(tty) && echo opened');
    const { stdout } = await finish(runner.start({ command, env, terminal }));
    const [uid, gid, groups, pwd, mine, opened] = stdout.split('\r\n');
    assert.deepEqual([uid, gid, groups, pwd], [String(user.uid), String(user.gid), String(user.gid), '/']);
    assert.match(mine ?? '', new RegExp(`^${user.uid} 6[02]0$`));
    assert.equal(opened, 'opened');
    const own = statSync('/root', { throwIfNoEntry: false });
    if (own !== undefined && (own.mode & 0o001) === 0) {
      const closed = await finish(runner.start({ command: argv('pwd'), env, terminal, cwd: '/root' }));
      assert.deepEqual(closed.result, { result: 'exited', status: 126 });
    }
  },
);
