import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isInForeground } from './foreground.ts';

test('a program is in the foreground where its process group is the one of its terminal', () => {
  const stat = (name: string, terminalsGroup: number) => () =>
    `77 (${name}) S 70 77 60 34816 ${terminalsGroup} 4194304 1`;
  assert.equal(isInForeground(stat('node', 77)), true);
  assert.equal(isInForeground(stat('node', 60)), false);
  assert.equal(isInForeground(stat('a) S 1 60 (b', 77)), true);
  assert.equal(isInForeground(stat('node', -1)), true);
});

test('where the system does not say, it is taken for granted', () => {
  assert.equal(
    isInForeground(() => {
      throw new Error('no such file');
    }),
    true,
  );
});
