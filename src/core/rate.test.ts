import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TokenBucket } from './rate.ts';

test('a burst passes at once, the rest waits its turn', () => {
  const bucket = new TokenBucket({ perSecond: 10, burst: 5 }, 0);
  assert.equal(bucket.take(5, 0), 0);
  assert.equal(bucket.take(1, 0), 100);
  assert.equal(bucket.take(1, 0), 200);
  assert.equal(bucket.take(1, 300), 0);
});

test('no more than the burst is saved up, however long the silence', () => {
  const bucket = new TokenBucket({ perSecond: 10, burst: 5 }, 0);
  assert.equal(bucket.take(6, 3_600_000), 100);
});

test('a clock set back neither gives nor takes', () => {
  const bucket = new TokenBucket({ perSecond: 10, burst: 5 }, 10_000);
  assert.equal(bucket.take(5, 10_000), 0);
  assert.equal(bucket.take(1, 0), 100);
  assert.equal(bucket.take(0, 100), 0);
});
