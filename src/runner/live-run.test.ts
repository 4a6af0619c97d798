// A command of which is told only when it is gone: what it said is in its pipes, and whoever it left behind may go on.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, writeSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { aDirectory } from '../../test/kit/directory.ts';
import { textOf } from '../../test/kit/runner.ts';
import { LiveRun } from './live-run.ts';
import { openCommandEnds, openServerEnds, pathsOf } from './pipes.ts';

const LIMIT = { timeout: 20_000 };
/** As much as a pipe holds. */
const FULL = 'x'.repeat(65_536);
const DONE = { kind: 'code', code: 0 } as const;

function aRun(t: TestContext) {
  const paths = pathsOf(aDirectory(t), 0);
  execFileSync('mkfifo', [...paths]);
  const run = new LiveRun({
    resize: () => {},
    timeoutMs: undefined,
    drainMs: 60_000,
    killGraceMs: 100,
    endSession: () => {},
    onSettled: () => {},
  });
  run.begin(openServerEnds(paths));
  const [stdin, stdout, stderr] = openCommandEnds(paths, undefined);
  closeSync(stdin);
  closeSync(stderr);
  return { run, stdout };
}

for (const said of ['', 'words\n', FULL]) {
  test(`${said.length} bytes of a command that is gone come whole, and its end`, LIMIT, async (t) => {
    const { run, stdout } = aRun(t);
    if (said !== '') writeSync(stdout, said);
    closeSync(stdout);
    const texts = Promise.all([textOf(run.stdout), textOf(run.stderr)]);
    run.passed();
    run.exited(DONE);
    assert.deepEqual(await run.ended, { result: 'exited', status: 0 });
    assert.deepEqual(await texts, [said, '']);
    assert.equal(await run.begun, true);
  });
}

test('a reader that comes later gets what it said too', LIMIT, async (t) => {
  const { run, stdout } = aRun(t);
  writeSync(stdout, 'words\n');
  closeSync(stdout);
  run.passed();
  run.exited(DONE);
  assert.deepEqual(await Promise.all([textOf(run.stdout), textOf(run.stderr)]), ['words\n', '']);
  assert.deepEqual(await run.ended, { result: 'exited', status: 0 });
});

test('somebody else who has its output after all is read to the end', LIMIT, async (t) => {
  const { run, stdout } = aRun(t);
  writeSync(stdout, 'first\n');
  const texts = Promise.all([textOf(run.stdout), textOf(run.stderr)]);
  run.passed();
  run.exited(DONE);
  writeSync(stdout, 'last\n');
  closeSync(stdout);
  assert.deepEqual(await texts, ['first\nlast\n', '']);
  assert.deepEqual(await run.ended, { result: 'exited', status: 0 });
});

test('whoever writes to it is told that it takes no more', LIMIT, async (t) => {
  const { run, stdout } = aRun(t);
  closeSync(stdout);
  const closed = new Promise<void>((resolve) => run.stdin.onClosed(resolve));
  run.passed();
  await closed;
  assert.equal(run.stdin.write(new Uint8Array(1)), true);
  const texts = Promise.all([textOf(run.stdout), textOf(run.stderr)]);
  run.exited(DONE);
  assert.deepEqual(await texts, ['', '']);
});
