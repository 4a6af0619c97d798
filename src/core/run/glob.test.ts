import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random, seedOf } from '../../../test/kit/random.ts';
import { isGlob, matchesGlob } from './glob.ts';

test('a star is any characters or none, a question mark exactly one', () => {
  const table: [pattern: string, matched: string[], unmatched: string[]][] = [
    ['web*', ['web', 'web1', 'web.lab'], ['we', 'aweb', '']],
    ['*', ['', 'a', 'web1'], []],
    ['web?', ['web1', 'webé', 'web𐐨'], ['web', 'web12']],
    ['*.lab', ['web1.lab', '.lab'], ['web1.lab2', 'lab']],
    ['a*b*c', ['abc', 'aXbYc', 'abbcbc'], ['ab', 'abcd', 'acb']],
    ['*a*a*', ['aa', 'banana'], ['a', 'bnn']],
    ['?*?', ['ab', 'abc'], ['a', '']],
    ['web1', ['web1'], ['web', 'web11']],
    ['', [''], ['a']],
  ];
  for (const [pattern, matched, unmatched] of table) {
    for (const text of matched) assert.equal(matchesGlob(pattern, text), true, `${pattern} ${text}`);
    for (const text of unmatched) assert.equal(matchesGlob(pattern, text), false, `${pattern} ${text}`);
  }
});

test('what holds neither sign is no pattern', () => {
  assert.deepEqual(['web1', 'web*', 'w?b', ''].map(isGlob), [false, true, true, false]);
});

test('a pattern matches what the same regular expression does', (t) => {
  const random = new Random(seedOf(t));
  const text = (signs: readonly [string, ...string[]]) =>
    Array.from({ length: random.int(9) }, () => random.pick(signs)).join('');
  for (let round = 0; round < 20_000; round++) {
    const pattern = text(['a', 'b', '*', '?']);
    const given = text(['a', 'b']);
    const expected = new RegExp(`^${pattern.replace(/\*+/g, '.*').replaceAll('?', '.')}$`).test(given);
    assert.equal(matchesGlob(pattern, given), expected, `${pattern} ${given}`);
  }
});

test('the pattern that sends backtracking matchers astray takes a moment', () => {
  assert.equal(matchesGlob(`${'*a'.repeat(5_000)}*b`, 'a'.repeat(20_000)), false);
});
