import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beginningOf } from './beginning.ts';

test('a command that is shown in part begins as the whole does, whatever it is made of', () => {
  assert.deepEqual(beginningOf({ kind: 'shell', line: 'ls -l /tmp' }, 5), { kind: 'shell', line: 'ls -l' });
  assert.deepEqual(beginningOf({ kind: 'argv', argv: ['ls', '-l', '/tmp'] }, 8), {
    kind: 'argv',
    argv: ['ls', '-l', '/t'],
  });
  assert.deepEqual(beginningOf({ kind: 'argv', argv: ['ls', '-l', '/tmp'] }, 6), { kind: 'argv', argv: ['ls', '-l'] });
  assert.deepEqual(beginningOf({ kind: 'verb', verb: 'restart', args: ['nginx', 'now'] }, 11), {
    kind: 'verb',
    verb: 'restart',
    args: ['ngi'],
  });
});

test('what fits is shown whole', () => {
  const verb = { kind: 'verb', verb: 'restart', args: ['nginx'] } as const;
  assert.deepEqual(beginningOf(verb, 13), verb);
});
