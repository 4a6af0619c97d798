import assert from 'node:assert/strict';
import { test } from 'node:test';
import { localTime } from './time.ts';

test('a time is shown as the clock on the wall here has it, and what is none as it came', () => {
  const here = new Date(2026, 10, 22, 20, 29, 6);
  assert.equal(localTime(here.toISOString()), '2026-11-22 20:29:06');
  assert.equal(localTime(here.getTime()), '2026-11-22 20:29:06');
  assert.equal(localTime('soon'), 'soon');
});
