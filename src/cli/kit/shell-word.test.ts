// Words that are pasted into a shell.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { shellWord } from './shell-word.ts';

test('what is plain stays plain', () => {
  for (const word of ['web1', 'tls://host.example:7270', 'a,b', 'env=prod', '::1', '../x'])
    assert.equal(shellWord(word), word);
});

test('a shell reads every word as it was', () => {
  const words = [
    '',
    'web*',
    '!web3',
    '[::1]:7270',
    'a b',
    "it's",
    '$HOME',
    '`id`',
    '"',
    '\\',
    '#ops',
    '~',
    'ü',
    'a\nb',
    ';&|<>()',
  ];
  const line = `printf '%s\\0' ${words.map(shellWord).join(' ')}`;
  assert.deepEqual(
    execFileSync('/bin/sh', ['-c', line], { encoding: 'utf8' }),
    words.map((word) => `${word}\0`).join(''),
  );
});
