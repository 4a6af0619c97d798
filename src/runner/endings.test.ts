import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { aDirectory } from '../../test/kit/directory.ts';
import { argv, aRunner, finish, firstLineOf, lifeline, sh, upInTime } from '../../test/kit/runner.ts';

const LIMIT = { timeout: 20_000 };
const env = {};
const PARENT = fileURLToPath(new URL('../../test/kit/runner-parent.ts', import.meta.url));

/** Holds the lifeline, takes neither HUP nor TERM, and says "up" when that is so. */
const stubborn = (path: string): string => `trap '' HUP TERM; exec 9>${path}; echo up; while :; do sleep 1; done`;

test('what a command leaves behind holds its output for the drain time, and is ended', LIMIT, async (t) => {
  const { path, gone } = lifeline(t);
  const run = aRunner(t, { drainMs: 50 }).start({ command: sh(`exec 9>${path}; sleep 100 & echo hi`), env });
  run.stderr.resume();
  assert.equal(await firstLineOf(run.stdout), 'hi');
  assert.deepEqual(await run.ended, { result: 'exited', status: 0 });
  await gone();
});

test('what is left behind with its output elsewhere is ended too', LIMIT, async (t) => {
  const { path, gone } = lifeline(t);
  const runner = aRunner(t);
  const run = runner.start({ command: sh(`exec 9>${path}; echo up; sleep 100 >/dev/null 2>&1 & read line`), env });
  run.stderr.resume();
  await firstLineOf(run.stdout);
  const isGone = gone();
  run.stdin.end();
  assert.deepEqual(await run.ended, { result: 'exited', status: 1 });
  await isGone;
});

test('what a command left behind cannot go on writing for ever, and the status stays', LIMIT, async (t) => {
  const runner = aRunner(t);
  const [own, other] = ['yes & exit 5', 'timeout 5000 yes >&2 & exit 5'].map((line) =>
    runner.start({ command: sh(line), env }),
  );
  for (const run of [own, other]) {
    run?.stdout.resume();
    run?.stderr.resume();
  }
  assert.deepEqual(await own?.ended, { result: 'exited', status: 5 });
  assert.deepEqual(await other?.ended, { result: 'exited', status: 5 });
});

test('what writes for ever out of reach of signals does not keep the run', LIMIT, async (t) => {
  const { path, gone } = lifeline(t);
  const runner = aRunner(t, { killGraceMs: 50, drainMs: 100 });
  const run = runner.start({ command: sh(`exec 9>${path}; setsid yes 2>/dev/null & read line; exit 5`), env });
  run.stderr.resume();
  await firstLineOf(run.stdout);
  run.stdout.onData(() => {});
  const isGone = gone();
  run.stdin.end();
  assert.deepEqual(await run.ended, { result: 'exited', status: 5 });
  await isGone;
});

test('what made a process group of its own is ended when cancelled', LIMIT, async (t) => {
  const { path, gone } = lifeline(t);
  const line = `exec 9>${path}; timeout 5000 sh -c 'echo up; exec sleep 100'; timeout 5000 sleep 100; true`;
  const run = aRunner(t).start({ command: sh(line), env });
  run.stderr.resume();
  await firstLineOf(run.stdout);
  const isGone = gone();
  run.cancel();
  assert.equal((await run.ended).result, 'cancelled');
  await isGone;
});

test('what made a process group of its own is ended past its time, stubborn as it may be', LIMIT, async (t) => {
  const { path, gone } = lifeline(t);
  const runner = aRunner(t, { killGraceMs: 300 });
  const line = `trap '' HUP TERM; exec 9>${path}; timeout 5000 sh -c 'echo up; while :; do sleep 1; done'`;
  const run = await upInTime((timeoutMs) => runner.start({ command: sh(line), env, timeoutMs }));
  const isGone = gone();
  assert.deepEqual(await run.ended, { result: 'timeout', status: 124 });
  await isGone;
});

test('what is left behind in a process group of its own is ended after the exit', LIMIT, async (t) => {
  const { path, gone } = lifeline(t);
  const line = `exec 9>${path}; timeout 5000 sh -c 'echo up; exec sleep 100 >/dev/null 2>&1' & read line; exit 3`;
  const run = aRunner(t).start({ command: sh(line), env });
  run.stderr.resume();
  await firstLineOf(run.stdout);
  const isGone = gone();
  run.stdin.end();
  assert.deepEqual(await run.ended, { result: 'exited', status: 3 });
  await isGone;
});

test('a cancelled command that takes HUP is gone', LIMIT, async (t) => {
  const { path, gone } = lifeline(t);
  const run = aRunner(t).start({ command: sh(`exec 9>${path}; echo up; sleep 100; echo never`), env });
  run.stderr.resume();
  await firstLineOf(run.stdout);
  run.cancel();
  run.cancel();
  assert.deepEqual(await run.ended, { result: 'cancelled', status: 129 });
  await gone();
});

test('a cancelled command that takes neither HUP nor TERM is gone', LIMIT, async (t) => {
  const { path, gone } = lifeline(t);
  const run = aRunner(t, { killGraceMs: 300 }).start({ command: sh(stubborn(path)), env });
  run.stderr.resume();
  await firstLineOf(run.stdout);
  run.cancel();
  assert.deepEqual(await run.ended, { result: 'cancelled', status: 137 });
  await gone();
});

test('a command cancelled before it started never starts', LIMIT, async (t) => {
  const run = aRunner(t).start({ command: sh('echo started'), env });
  run.cancel();
  const { result, stdout } = await finish(run);
  assert.deepEqual(result, { result: 'cancelled', status: 129 });
  assert.equal(stdout, '');
});

test('a command cancelled while its reader stalls ends without the reader', LIMIT, async (t) => {
  const run = aRunner(t, { drainMs: 20 }).start({ command: sh('echo up >&2; exec yes'), env });
  await firstLineOf(run.stderr);
  run.cancel();
  assert.deepEqual(await run.ended, { result: 'cancelled', status: 129 });
});

test('a command past its time has status 124 and is gone', LIMIT, async (t) => {
  const { path, gone } = lifeline(t);
  const runner = aRunner(t, { killGraceMs: 300 });
  const run = await upInTime((timeoutMs) => runner.start({ command: sh(stubborn(path)), env, timeoutMs }));
  assert.deepEqual(await run.ended, { result: 'timeout', status: 124 });
  await gone();
});

test('the time counts for what a command left behind', LIMIT, async (t) => {
  const line = '(while :; do echo x; sleep 0.05; done) & exit 0';
  const { result } = await finish(aRunner(t, { drainMs: 10_000 }).start({ command: sh(line), env, timeoutMs: 300 }));
  assert.deepEqual(result, { result: 'timeout', status: 124 });
});

test('a writer out of reach of signals does not keep a run past its time', LIMIT, async (t) => {
  const { path, gone } = lifeline(t);
  const runner = aRunner(t, { killGraceMs: 50, drainMs: 100 });
  const line = `exec 9>${path}; setsid yes 2>/dev/null & read line; exit 0`;
  const run = await upInTime((timeoutMs) => runner.start({ command: sh(line), env, timeoutMs }));
  run.stdout.onData(() => {});
  run.stdin.end();
  assert.deepEqual(await run.ended, { result: 'timeout', status: 124 });
  await gone();
});

test('a time of many years is not over at once', LIMIT, async (t) => {
  const run = aRunner(t).start({ command: argv('cat'), env, timeoutMs: 2 ** 40 });
  assert.deepEqual((await finish(run, 'fine')).result, { result: 'exited', status: 0 });
});

test(
  'when the runner process dies its runs are lost and ended, and the next command gets a new one',
  LIMIT,
  async (t) => {
    const { path, gone } = lifeline(t);
    const warnings: string[] = [];
    const runner = aRunner(t, { log: { warn: (event) => warnings.push(event) } });
    const run = runner.start({ command: sh(`exec 9>${path}; echo $PPID; timeout 5000 sleep 100; :`), env });
    run.stderr.resume();
    process.kill(Number(await firstLineOf(run.stdout)), 'SIGKILL');
    assert.deepEqual(await run.ended, { result: 'lost', status: null, reason: 'The runner process died' });
    await gone();
    assert.deepEqual(warnings, ['runner lost']);
    assert.equal((await finish(runner.start({ command: argv('echo', 'again'), env }))).stdout, 'again\n');
  },
);

test(
  'when the runner process is stopped, what is cancelled is gone all the same, and the next is new',
  LIMIT,
  async (t) => {
    const { path, gone } = lifeline(t);
    const warnings: string[] = [];
    const runner = aRunner(t, { log: { warn: (event) => warnings.push(event) } });
    const line = `trap '' HUP TERM; exec 9>${path}; echo $PPID; timeout 5000 sh -c 'while :; do sleep 1; done'`;
    const run = runner.start({ command: sh(line), env });
    const other = runner.start({ command: argv('cat'), env });
    const none = runner.start({ command: argv('no-such-command-here'), env });
    assert.equal((await finish(none)).result.status, 127);
    for (const source of [run.stderr, other.stdout, other.stderr]) source.resume();
    const pid = Number(await firstLineOf(run.stdout));
    const isGone = gone();
    process.kill(pid, 'SIGSTOP');
    const late = runner.start({ command: sh('echo $PPID'), env });
    run.cancel();
    late.cancel();
    assert.deepEqual(await run.ended, { result: 'cancelled', status: 137 });
    await isGone;
    const reason = 'The runner process did not answer and was killed';
    assert.deepEqual(await other.ended, { result: 'lost', status: null, reason });
    assert.equal((await finish(late)).result.result, 'cancelled');
    assert.deepEqual(warnings, ['runner lost']);
    while (isAlive(pid)) await nextTurn();
    assert.equal((await finish(runner.start({ command: argv('echo', 'again'), env }))).stdout, 'again\n');
  },
);

test('when the runner process is stopped, what a command left behind is gone all the same', LIMIT, async (t) => {
  const { path, gone } = lifeline(t);
  const runner = aRunner(t);
  const line = `exec 9>${path}; (trap '' HUP TERM; exec timeout 5000 sleep 100 >/dev/null 2>&1) & echo $PPID $$`;
  const run = runner.start({ command: sh(line), env });
  run.stderr.resume();
  const [pid = 0, shell = 0] = (await firstLineOf(run.stdout)).split(' ').map(Number);
  const isGone = gone();
  run.stdout.pause();
  // Once its end has been noticed it has been told before that of a later one.
  while (existsSync(`/proc/${shell}`)) await nextTurn();
  await finish(runner.start({ command: argv('true'), env }));
  process.kill(pid, 'SIGSTOP');
  run.stdout.resume();
  assert.deepEqual(await run.ended, { result: 'exited', status: 0 });
  await isGone;
});

test('closing ends every command, stubborn ones too, and then the runner process', LIMIT, async (t) => {
  const { path, gone } = lifeline(t);
  const runner = aRunner(t, { killGraceMs: 300 });
  const held = runner.start({ command: sh(stubborn(path)), env });
  held.stderr.resume();
  await firstLineOf(held.stdout);
  const other = runner.start({ command: sh('echo $PPID; exec cat'), env });
  other.stderr.resume();
  const pid = Number(await firstLineOf(other.stdout));
  await runner.close();
  assert.equal(isAlive(pid), false);
  assert.deepEqual(await held.ended, { result: 'cancelled', status: 137 });
  assert.deepEqual(await other.ended, { result: 'cancelled', status: 129 });
  await gone();
  const late = await finish(runner.start({ command: argv('true'), env }));
  assert.equal(late.result.result, 'denied');
});

test('a runner that never ran anything closes at once', LIMIT, async (t) => {
  await aRunner(t).close();
});

test('when the server is killed its commands and the runner process are gone', LIMIT, async (t) => {
  const { path, gone } = lifeline(t);
  const line = `trap '' HUP TERM; exec 9>${path}; echo $PPID; while :; do sleep 1; done`;
  const directory = join(aDirectory(t), 'run');
  const parent = spawn(process.execPath, [PARENT, directory, line], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => {
    parent.kill('SIGKILL');
  });
  const [chunk]: Buffer[] = await once(parent.stdout, 'data');
  const runnerPid = Number(String(chunk));
  assert.equal(isAlive(runnerPid), true);
  const isGone = gone();
  parent.kill('SIGKILL');
  await isGone;
  while (isAlive(runnerPid)) await nextTurn();
});

/** A zombie is not: nothing may reap orphans here. */
function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
