import assert from 'node:assert/strict';
import { createCipheriv, createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { aDirectory } from '../../test/kit/directory.ts';
import { argv, aRunner, bytes, finish, firstLineOf, sh, textOf } from '../../test/kit/runner.ts';

const LIMIT = { timeout: 20_000 };
const env = {};

test('a command ends with the status that it had', LIMIT, async (t) => {
  const runner = aRunner(t);
  const statuses = [0, 1, 5, 44, 126, 255];
  const runs = statuses.map((status) => runner.start({ command: sh(`exit ${status}`), env }));
  const results = await Promise.all(runs.map(async (run) => (await finish(run)).result));
  assert.deepEqual(
    results,
    statuses.map((status) => ({ result: 'exited', status })),
  );
});

test('a command that died of signal 9 has status 137', LIMIT, async (t) => {
  const { result } = await finish(aRunner(t).start({ command: sh('kill -9 $$'), env }));
  assert.deepEqual(result, { result: 'signalled', status: 137, signal: 9 });
});

test('what is not found, and whose words nobody wants, takes no other command along', LIMIT, async (t) => {
  const runner = aRunner(t);
  const other = runner.start({ command: sh('echo up; read line; echo $line'), env });
  assert.equal(await firstLineOf(other.stdout), 'up');
  other.stderr.resume();
  for (let count = 0; count < 20; count++) {
    const run = runner.start({ command: argv('no-such-command-here'), env });
    run.stderr.cancel();
    run.stdout.resume();
    assert.deepEqual(await run.ended, { result: 'exited', status: 127 });
  }
  other.stdin.write(bytes('still here\n'));
  other.stdin.end();
  assert.deepEqual(await other.ended, { result: 'exited', status: 0 });
});

test('what is not found ends with 127 and words, as line and as vector', LIMIT, async (t) => {
  const runner = aRunner(t);
  const line = await finish(runner.start({ command: sh('no-such-command-here'), env }));
  assert.deepEqual(line.result, { result: 'exited', status: 127 });
  assert.match(line.stderr, /no-such-command-here: not found\n$/);
  const vector = await finish(runner.start({ command: argv('no-such-command-here', 'x'), env }));
  assert.deepEqual(vector.result, { result: 'exited', status: 127 });
  assert.equal(vector.stderr, 'partyline: no-such-command-here: not found\n');
  const empty = await finish(runner.start({ command: argv(''), env }));
  assert.deepEqual(empty.result, { result: 'exited', status: 127 });
});

test('what cannot be executed ends with 126 and words', LIMIT, async (t) => {
  const runner = aRunner(t);
  const file = join(aDirectory(t), 'plain');
  writeFileSync(file, 'words\n', { mode: 0o644 });
  const vector = await finish(runner.start({ command: argv(file), env }));
  assert.deepEqual(vector.result, { result: 'exited', status: 126 });
  assert.equal(vector.stderr, `partyline: ${file}: permission denied\n`);
  assert.equal((await finish(runner.start({ command: sh(file), env }))).result.status, 126);
  const long = await finish(runner.start({ command: argv('echo', 'x'.repeat(4_000_000)), env }));
  assert.deepEqual(long.result, { result: 'exited', status: 126 });
  assert.equal(long.stderr, 'partyline: echo: argument list too long\n');
});

test('a working directory that is gone is not taken for a missing command', LIMIT, async (t) => {
  const cwd = join(aDirectory(t), 'gone');
  mkdirSync(cwd);
  const runner = aRunner(t, { cwd });
  assert.equal((await finish(runner.start({ command: argv('pwd'), env }))).stdout, `${cwd}\n`);
  rmdirSync(cwd);
  const { result } = await finish(runner.start({ command: argv('pwd'), env }));
  assert.deepEqual(result, {
    result: 'denied',
    status: null,
    reason: `Cannot run commands in ${cwd}: the directory is gone; nothing was started`,
  });
});

test('no shell sees an argument vector', LIMIT, async (t) => {
  const { stdout } = await finish(aRunner(t).start({ command: argv('printf', '%s|', '$HOME', '*', 'a b', ''), env }));
  assert.equal(stdout, '$HOME|*|a b||');
});

test('an end of input reaches the command, and its answer comes after it', LIMIT, async (t) => {
  const { stdout } = await finish(aRunner(t).start({ command: sh('cat; echo after'), env }), 'before\n');
  assert.equal(stdout, 'before\nafter\n');
});

test('64 MiB go in and come out unchanged', LIMIT, async (t) => {
  const run = aRunner(t).start({ command: argv('cat'), env });
  const part = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(1 << 20));
  const sent = createHash('sha256');
  const received = createHash('sha256');
  run.stdout.onData((chunk) => received.update(chunk));
  run.stdout.resume();
  run.stderr.resume();
  let left = 64;
  const write = (): void => {
    while (left > 0) {
      left -= 1;
      const chunk = Buffer.concat([part.subarray(left * 7), part.subarray(0, left * 7)]);
      sent.update(chunk);
      if (!run.stdin.write(chunk) && left > 0) return;
    }
    run.stdin.end();
  };
  run.stdin.onDrain(write);
  write();
  assert.deepEqual(await run.ended, { result: 'exited', status: 0 });
  assert.equal(received.digest('hex'), sent.digest('hex'));
});

test('the outputs are true pipes: /dev/stdout and /dev/stderr can be opened', LIMIT, async (t) => {
  const command = sh('echo both | tee /dev/stderr; echo more > /dev/stdout; cat /dev/stdin');
  const { stdout, stderr } = await finish(aRunner(t).start({ command, env }), 'in\n');
  assert.equal(stdout, 'both\nmore\nin\n');
  assert.equal(stderr, 'both\n');
});

test('an output that is cancelled can still be opened, and breaks', LIMIT, async (t) => {
  const run = aRunner(t).start({ command: sh('read line; cat /dev/stdin > /dev/stdout; exit 7'), env });
  run.stdout.cancel();
  run.stderr.resume();
  run.stdin.write(bytes('first\nsecond\n'));
  run.stdin.end();
  assert.deepEqual(await run.ended, { result: 'exited', status: 7 });
});

test('a reader that wants no more ends the writer with a broken pipe', LIMIT, async (t) => {
  const run = aRunner(t).start({ command: argv('yes'), env });
  run.stderr.resume();
  assert.equal(await firstLineOf(run.stdout), 'y');
  run.stdout.cancel();
  assert.deepEqual(await run.ended, { result: 'signalled', status: 141, signal: 13 });
});

test('an output cancelled before the command is there is cancelled all the same', LIMIT, async (t) => {
  const run = aRunner(t).start({ command: argv('yes'), env });
  run.stdout.cancel();
  run.stderr.resume();
  assert.equal((await run.ended).status, 141);
});

test('stderr may go on after the end of stdout', LIMIT, async (t) => {
  const run = aRunner(t).start({ command: sh('echo out; exec >&-; read line; echo "late $line" >&2; exit 3'), env });
  const stderr = textOf(run.stderr);
  assert.equal(await textOf(run.stdout), 'out\n');
  run.stdin.write(bytes('news\n'));
  assert.equal(await stderr, 'late news\n');
  assert.deepEqual(await run.ended, { result: 'exited', status: 3 });
});

test('a writer is told that the command takes no more input', LIMIT, async (t) => {
  const run = aRunner(t).start({ command: sh('exec <&-; echo closed; sleep 100'), env });
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  run.stdin.onClosed(resolve);
  run.stderr.resume();
  await firstLineOf(run.stdout);
  run.stdin.write(bytes('for nobody'));
  await closed;
  run.cancel();
  assert.equal((await run.ended).result, 'cancelled');
});

test('a reader that stalls stalls the command and costs no memory', LIMIT, async (t) => {
  const runner = aRunner(t);
  const size = 200_000_000;
  const run = runner.start({ command: sh(`echo $$ >&2; exec head -c ${size} /dev/zero`), env });
  const { promise: first, resolve } = Promise.withResolvers<void>();
  let received = 0;
  let isStalled = true;
  let highest = 0;
  const before = process.memoryUsage.rss();
  run.stdout.onData((chunk) => {
    received += chunk.byteLength;
    highest = Math.max(highest, process.memoryUsage.rss());
    run.stdout.pause();
    resolve();
    if (!isStalled) setImmediate(() => run.stdout.resume());
  });
  const pid = await firstLineOf(run.stderr);
  run.stdout.resume();
  await first;
  // Time enough to run another command is time enough to read much, were anything read.
  await finish(runner.start({ command: sh('head -c 20000000 /dev/zero | cat'), env }));
  const written = Number(/^wchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]);
  assert.ok(received <= 65_536, `${received} bytes were handed to a paused reader`);
  assert.ok(written > 0 && written < 1_000_000, `${written} bytes were written while nobody read`);
  isStalled = false;
  run.stdout.resume();
  assert.deepEqual(await run.ended, { result: 'exited', status: 0 });
  assert.equal(received, size);
  // What was read and not yet collected may be a good part of it.
  assert.ok(highest - before < size / 2, `memory grew by ${highest - before} bytes`);
});

test('a reader that was paused when the command ended still gets everything', LIMIT, async (t) => {
  const runner = aRunner(t, { drainMs: 20 });
  const run = runner.start({ command: sh('seq 1 5000; echo gone >&2'), env });
  await textOf(run.stderr);
  // The command is over and several drain times have passed when this one is.
  await finish(runner.start({ command: sh('sleep 0.2'), env }));
  const { length } = await textOf(run.stdout);
  assert.equal(length, 23_893);
  assert.deepEqual(await run.ended, { result: 'exited', status: 0 });
});

test('a hundred commands at once get each their own bytes only', LIMIT, async (t) => {
  const runner = aRunner(t);
  const numbers = Array.from({ length: 100 }, (_, index) => index);
  const outcomes = await Promise.all(
    numbers.map((number) => {
      const run = runner.start({ command: sh('cat; echo "$0" >&2; exit $1'.replace('$1', String(number))), env });
      return finish(run, `${number},`.repeat(5_000));
    }),
  );
  for (const [number, { result, stdout, stderr }] of outcomes.entries()) {
    assert.deepEqual(result, { result: 'exited', status: number });
    assert.ok(stdout === `${number},`.repeat(5_000), `command ${number} got something else`);
    assert.equal(stderr, '/bin/sh\n');
  }
});

test('where no descriptor is left nothing is started, that is said, and with one again the next one is', LIMIT, (t) => {
  const script = join(import.meta.dirname, '../../test/kit/few-descriptors.ts');
  const command = 'ulimit -n 64; exec "$0" "$@"';
  const words = ['-c', command, process.execPath, script, join(aDirectory(t), 'run')];
  const said: unknown = JSON.parse(execFileSync('/bin/sh', words, { encoding: 'utf8' }));
  const reason = "Cannot open the command's pipes: too many open files; nothing was started";
  assert.deepEqual(said, {
    short: { result: { result: 'denied', status: null, reason }, stdout: '', stderr: '' },
    after: { result: { result: 'exited', status: 0 }, stdout: 'hi\n', stderr: '' },
  });
});

test('more commands than may run at once are not started', LIMIT, async (t) => {
  const runner = aRunner(t, { maxRuns: 1 });
  const one = runner.start({ command: argv('cat'), env });
  const { result } = await finish(runner.start({ command: argv('true'), env }));
  assert.deepEqual(result, {
    result: 'denied',
    status: null,
    reason: 'Cannot start a command: 1 are running, as many as may at once; nothing was started',
  });
  assert.equal((await finish(one, 'still here')).stdout, 'still here');
  assert.equal((await finish(runner.start({ command: argv('true'), env }))).result.status, 0);
});

test('a command gets its three pipes and none of what the runner process has open', LIMIT, async (t) => {
  const command = sh('for fd in 0 1 2 3 4 5 6 7 8 9; do if [ -e /proc/$$/fd/$fd ]; then echo $fd; fi; done');
  assert.equal((await finish(aRunner(t).start({ command, env }))).stdout, '0\n1\n2\n');
});

test('nothing hostile reaches a command from either environment', LIMIT, async (t) => {
  const hostile = {
    PARTYLINE_RUN: 'of another',
    LD_PRELOAD: '/x.so',
    BASH_ENV: '/x',
    NODE_OPTIONS: '--bad',
    NODE_CHANNEL_FD: '9',
    SECRET: 'x',
  };
  const environment = { ...hostile, PATH: process.env['PATH'], HOME: '/here', LANG: 'C' };
  const runner = aRunner(t, { environment });
  const request = { command: argv('env'), env: { ...hostile, SECRET: 'asked for', LC_ALL: 'C' } };
  const { stdout } = await finish(runner.start(request));
  const names = stdout
    .trim()
    .split('\n')
    .map((line) => line.slice(0, line.indexOf('=')));
  assert.match(stdout, /^PARTYLINE_RUN=[0-9a-f]{32}-0$/m);
  assert.deepEqual(names.sort(), ['HOME', 'LANG', 'LC_ALL', 'PARTYLINE_RUN', 'PATH', 'SECRET', 'SHELL']);
  assert.match(stdout, /^SECRET=asked for$/m);
});
