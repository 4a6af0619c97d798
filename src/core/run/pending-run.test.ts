// A run that is served before it is known whether there is one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeRunner } from '../../../test/kit/native.ts';
import { PendingRun } from './pending-run.ts';

const REQUEST = { command: { kind: 'shell', line: 'cat' }, env: {} } as const;

function aRun() {
  const runner = new FakeRunner();
  runner.start(REQUEST);
  return runner.runs[0] ?? assert.fail();
}

test('what comes for a run before there is one waits, and is passed on when there is', async () => {
  const pending = new PendingRun();
  let [hasRoom, heard] = [false, ''];
  pending.stdin.onDrain(() => (hasRoom = true));
  pending.stdout.onData((chunk) => (heard += Buffer.from(chunk).toString()));
  pending.stdout.resume();
  assert.equal(pending.stdin.write(Buffer.from('early')), false, 'whoever writes is told to wait');
  pending.stdin.end();
  const run = aRun();
  pending.begin(run);
  assert.ok(hasRoom && run.stdin.hasEnded);
  assert.equal(run.stdin.received.toString(), 'early');
  assert.ok(!run.stderr.isWanted, 'nothing is read before it is wanted');
  run.stdout.give(Buffer.from('said'));
  run.finish({ result: 'exited', status: 3 });
  assert.deepEqual(await pending.ended, { result: 'exited', status: 3 });
  assert.equal(heard, 'said');
});

test('a run that nobody wants any more when it begins is cancelled then, and its outputs with it', async () => {
  const pending = new PendingRun();
  pending.cancel();
  pending.stdout.cancel();
  const run = aRun();
  pending.begin(run);
  await run.cancelled;
  assert.ok(run.stdout.isCancelled && !run.stderr.isCancelled);
  const later = new PendingRun();
  const other = aRun();
  later.begin(other);
  later.cancel();
  await other.cancelled;
});

test('where there is none after all, both outputs end, nothing more is taken, and it is lost with the reason', async () => {
  const pending = new PendingRun();
  const told: string[] = [];
  pending.stdin.onClosed(() => told.push('stdin'));
  pending.stdout.onEnd(() => told.push('stdout'));
  pending.stderr.onEnd(() => told.push('stderr'));
  pending.stdin.write(Buffer.from('for nobody'));
  pending.fail('it was not detached');
  assert.deepEqual(await pending.ended, { result: 'lost', status: null, reason: 'it was not detached' });
  assert.deepEqual(told.toSorted(), ['stderr', 'stdin', 'stdout']);
});
