import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDate } from './date.ts';

/** The same on every machine: built from local time, as it is shown. */
const at = (...parts: [number, number, number, number, number, number, number?]) => new Date(...parts).getTime();

test('a date is local time, two digits each, without fractions', () => {
  assert.equal(formatDate(at(2020, 11, 7, 9, 6, 3, 999)), '2020-12-07 09:06:03');
  assert.equal(formatDate(at(2026, 0, 1, 0, 0, 0)), '2026-01-01 00:00:00');
  assert.equal(formatDate(at(2026, 9, 31, 23, 59, 59)), '2026-10-31 23:59:59');
});
