import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TokenBucket } from './rate.ts';

function takeMany(bucket: TokenBucket, nowMs: number): number {
  for (let taken = 0; ; taken++) if (bucket.take(nowMs) > 0) return taken;
}

test('a burst passes at once, the rest one by one at its rate', () => {
  const bucket = new TokenBucket({ perSecond: 10, burst: 5 }, 0);
  assert.equal(takeMany(bucket, 0), 5);
  assert.equal(bucket.take(0), 100);
  assert.equal(bucket.take(40), 60);
  assert.equal(bucket.take(100), 0);
  assert.equal(bucket.take(100), 100);
});

test('waiting as long as it says is enough, whatever the rate', () => {
  for (const perSecond of [0.3, 3, 7, 50, 999]) {
    const bucket = new TokenBucket({ perSecond, burst: 1 }, 0);
    for (let nowMs = 0, n = 0; n < 50; n++) {
      assert.equal(bucket.take(nowMs), 0);
      nowMs += bucket.take(nowMs);
    }
  }
});

test('no more than the burst is saved up, however long the silence', () => {
  const bucket = new TokenBucket({ perSecond: 10, burst: 5 }, 0);
  assert.equal(takeMany(bucket, 3_600_000), 5);
});

test('a clock set back neither gives nor takes', () => {
  const bucket = new TokenBucket({ perSecond: 10, burst: 5 }, 10_000);
  assert.equal(takeMany(bucket, 10_000), 5);
  assert.equal(bucket.take(0), 100);
  assert.equal(bucket.take(100), 0);
});

test('to look takes nothing, and what was given back can be taken again, beyond the burst never', () => {
  const bucket = new TokenBucket({ perSecond: 10, burst: 2 }, 0);
  assert.equal(bucket.waitMs(0), 0);
  assert.equal(takeMany(bucket, 0), 2);
  assert.equal(bucket.waitMs(0), 100);
  bucket.giveBack();
  assert.equal(takeMany(bucket, 0), 1);
  for (let n = 0; n < 3; n++) bucket.giveBack();
  assert.equal(takeMany(bucket, 0), 2);
});

test('several tokens are taken together, or none of them', () => {
  const bucket = new TokenBucket({ perSecond: 10, burst: 5 }, 0);
  assert.equal(bucket.take(0, 3), 0);
  assert.equal(bucket.take(0, 3), 100, 'two are left');
  assert.equal(bucket.waitMs(0, 5), 300);
  assert.equal(bucket.take(0, 2), 0);
  assert.equal(bucket.take(0), 100);
});
