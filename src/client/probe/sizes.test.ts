import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Came, SizeFacts } from './facts.ts';
import { failsOf, LADDER, MAX_ROUNDS, passesOf, SIZES_A_ROUND, sizesBetween } from './sizes.ts';

const tried = (...results: [bytes: number, came: Came][]): SizeFacts[] =>
  results.map(([bytes, came]) => ({ bytes, came }));

test('what passes is the largest that came back, what fails the smallest beyond', () => {
  const results = tried([64, 'back'], [256, 'late'], [1_200, 'back'], [1_400, 'reset'], [1_280, 'late']);
  assert.equal(passesOf(results), 1_200);
  assert.deepEqual(failsOf(results), { bytes: 1_280, came: 'late' });
  assert.equal(failsOf(tried([64, 'late'], [256, 'back'])), undefined, 'an accident');
  assert.equal(passesOf(tried([64, 'late'])), undefined);
});

test('between two sizes there are new ones only, in order, and as many as a round takes', () => {
  assert.deepEqual(sizesBetween(100, 104), [101, 102, 103]);
  assert.deepEqual(sizesBetween(100, 101), []);
  const many = sizesBetween(536, 1_200);
  assert.equal(many.length, SIZES_A_ROUND);
  assert.deepEqual([many[0], many.at(-1)], [578, 1_159]);
  assert.deepEqual(
    many,
    [...new Set(many)].toSorted((a, b) => a - b),
  );
});

test('between any two rungs of the ladder the rounds find every border to the byte', () => {
  for (const [at, above] of LADDER.entries()) {
    const below = LADDER[at - 1];
    if (below === undefined || above > 1_500) continue;
    for (let border = below; border < above; border++) {
      let passes: number = below;
      let fails: number = above;
      for (let round = 0; round < MAX_ROUNDS; round++) {
        const results = sizesBetween(passes, fails).map((bytes): SizeFacts => ({
          bytes,
          came: bytes <= border ? 'back' : 'late',
        }));
        passes = passesOf(results) ?? passes;
        fails = failsOf(results)?.bytes ?? fails;
      }
      assert.deepEqual([passes, fails], [border, border + 1]);
    }
  }
});
