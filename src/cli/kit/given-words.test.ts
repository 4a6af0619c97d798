import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whyNotAsTyped } from './given-words.ts';

const typed =
  (...words: (string | Buffer)[]) =>
  () =>
    ['node', 'launch.mjs', 'run', ...words].map((word) => Buffer.from(word).toString('latin1'));

test('a word that was typed in other bytes is told from one that has U+FFFD itself', () => {
  const words = ['--', 'rm', 'a\uFFFD'];
  assert.equal(whyNotAsTyped(words, typed('--', 'rm', 'a\uFFFD')), undefined);
  const why = whyNotAsTyped(words, typed('--', 'rm', Buffer.from([0x61, 0xff])));
  assert.equal(why, '"a\uFFFD" was typed with bytes that are not UTF-8, which cannot be passed on');
});

test('what was typed, or nobody can tell of, is taken', () => {
  assert.equal(whyNotAsTyped(['--', 'rm', 'ä', ''], typed('--', 'rm', 'ä', '')), undefined);
  assert.equal(
    whyNotAsTyped(['\uFFFD'], () => undefined),
    undefined,
  );
});
