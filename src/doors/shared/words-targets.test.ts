import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTargets, type TargetsRefusal } from '../../core/run/targets.ts';
import { wordsForTargets } from './words-targets.ts';

function wordsOf(text: string): string {
  const targets = parseTargets(text);
  assert.ok('refused' in targets, `${text} was accepted`);
  return wordsForTargets(targets);
}

test('what cannot be read is named, with what is wrong with it', () => {
  const table: [text: string, words: string][] = [
    ['', 'the targets name no machine'],
    ['!web1', '"!web1" only takes away; everything else is written all,!web1'],
    ['!web1,!db', '"!web1", "!db" only takes away; everything else is written all,…'],
    ['web1,!', '"!" is no target: a ! stands directly before what is taken away'],
    ['web[3-1]', '"web[3-1]" is no target: the range "3-1" ends before it begins'],
    ['web[a]', '"web[a]" is no target: numbers and ranges such as 1-9 stand in brackets, not "a"'],
    ['web[1', '"web[1" is no target: a "[" has no "]"'],
    ['web1]', '"web1]" is no target: a "]" has no "["'],
    ['web[]', '"web[]" is no target: its brackets are empty'],
    [
      'w[01-100]',
      '"w[01-100]" is no target: with leading zeros both ends of a range have as many digits, unlike "01-100"',
    ],
    [
      'w[1234567890123456]',
      '"w[1234567890123456]" is no target: a number in "1234567890123456" has more than 15 digits',
    ],
    ['env=', '"env=" is no target: a label is written NAME=VALUE, and both have at least one character'],
    ['e*=1', '"e*=1" is no target: "*" and "?" stand in the value of a label, not in its name'],
    ['-x', '"-x" is no target: a name does not begin with "-" or "."'],
    ['w[1-99999999]', 'with "w[1-99999999]" the targets are more than 10000 names'],
    ['x'.repeat(65_537), 'the targets have 65537 characters, 65536 are the most'],
  ];
  for (const [text, words] of table) assert.equal(wordsOf(text), `Cannot run: ${words}; nothing was started`);
  assert.match(wordsOf('w*,'.repeat(101)), /more than 100 patterns, labels and groups/);
});

test('what is not there is named', () => {
  const table: [refusal: TargetsRefusal, words: string][] = [
    [{ refused: 'unknown-host', names: ['a', 'b'] }, 'no machine named "a", "b" has joined'],
    [{ refused: 'no-machine', names: ['eve'] }, '"eve" is no machine'],
    [{ refused: 'no-machine', names: ['eve', 'bob'] }, '"eve", "bob" are no machines'],
    [{ refused: 'unknown-group', names: ['#ops'] }, 'there is no group "#ops"'],
    [{ refused: 'matches-nothing', items: ['web*'] }, '"web*" matches no machine'],
    [{ refused: 'matches-nothing', items: ['web*', 'a=b'] }, '"web*", "a=b" match no machine'],
    [{ refused: 'nothing-left' }, 'every machine that the targets name is taken away again'],
  ];
  for (const [refusal, words] of table) {
    assert.equal(wordsForTargets(refusal), `Cannot run: ${words}; nothing was started`);
  }
});

test('what somebody typed cannot drive the terminal of who reads the answer', () => {
  assert.match(wordsOf('a\u001b[31m'), /\\x1b/);
  assert.match(wordsOf('!\u202ex*y=1'), /\\u202e/);
});
