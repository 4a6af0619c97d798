import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Allowance } from './allowance.ts';

/** Used from now on, to its end. */
function used(totalMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  new Allowance(totalMs, resolve).use(true);
  return promise;
}

test('time passes only while it is used, and is spent once', async () => {
  const { promise: isSpent, resolve } = Promise.withResolvers<void>();
  let spent = 0;
  const allowance = new Allowance(40, () => {
    spent += 1;
    resolve();
  });
  allowance.use(true);
  allowance.use(false);
  await used(120);
  assert.equal(spent, 0);
  allowance.use(true);
  allowance.use(true);
  await isSpent;
  allowance.use(false);
  allowance.use(true);
  await used(80);
  assert.equal(spent, 1);
});

test('what was used before a rest is not given again', async () => {
  const { promise: isSpent, resolve } = Promise.withResolvers<number>();
  const allowance = new Allowance(600, () => resolve(performance.now()));
  allowance.use(true);
  await used(500);
  allowance.use(false);
  await used(50);
  const began = performance.now();
  allowance.use(true);
  assert.ok((await isSpent) - began < 500);
});
