import assert from 'node:assert/strict';
import { test } from 'node:test';
import { delayBefore } from './backoff.ts';

test('the wait doubles up to its bound, and chance takes from it', () => {
  const waits = (random: number) => [0, 1, 2, 3, 9, 1_000].map((attempt) => delayBefore(attempt, {}, () => random));
  assert.deepEqual(waits(0), [0, 0, 0, 0, 0, 0]);
  assert.deepEqual(waits(0.5), [125, 250, 500, 1_000, 15_000, 15_000]);
});

test('after as many attempts as were asked for there is none', () => {
  assert.notEqual(
    delayBefore(1, { attempts: 2 }, () => 0.5),
    undefined,
  );
  assert.equal(
    delayBefore(2, { attempts: 2 }, () => 0.5),
    undefined,
  );
});
