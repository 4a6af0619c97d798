import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readNames } from './arguments.ts';

test('names have commas or blanks between them, and one that is left out is seen', () => {
  for (const given of ['bob,eve', 'bob eve', ' bob,  eve ']) assert.deepEqual(readNames(given), ['bob', 'eve']);
  for (const given of ['', ' ', 'bob,,eve', 'bob,']) assert.ok(readNames(given).includes(''), given);
});
