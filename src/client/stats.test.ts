import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distribution } from './stats.ts';

test('percentiles are taken by nearest rank, whatever the order', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  assert.deepEqual(distribution(hundred), { min: 1, p50: 50, p95: 95, p99: 99, max: 100, jitter: 45 });
  // The example of the nearest-rank method that most textbooks use.
  assert.deepEqual(distribution([15, 20, 35, 40, 50]), { min: 15, p50: 35, p95: 50, p99: 50, max: 50, jitter: 15 });
  assert.deepEqual(distribution([10, 9, 2]), { min: 2, p50: 9, p95: 10, p99: 10, max: 10, jitter: 1 });
});

test('one value is every percentile, no value is none', () => {
  assert.deepEqual(distribution([7]), { min: 7, p50: 7, p95: 7, p99: 7, max: 7, jitter: 0 });
  assert.equal(distribution([]), undefined);
});

test('jitter is what p95 is over p50, in microseconds, whatever the order', () => {
  assert.equal(distribution([20.0001, 90.5, 20])?.jitter, 70.5);
  assert.equal(distribution([90.5, 20, 20.0001])?.jitter, 70.5);
});
