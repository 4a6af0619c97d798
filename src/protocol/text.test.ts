import assert from 'node:assert/strict';
import { test } from 'node:test';
import { escapeControls, quote, shorten } from './text.ts';

test('ordinary text of any script stays as it is', () => {
  for (const text of ['hello', 'when would the college reopen 🙄', 'naïve שלום 👩‍👩‍👧', 'C:\\dir', '']) {
    assert.equal(escapeControls(text), text);
  }
});

test('what drives a terminal is shown, not passed on', () => {
  assert.equal(escapeControls('\x1b]0;owned\x07'), '\\x1b]0;owned\\x07');
  assert.equal(escapeControls('a\tb\rc\nd'), 'a\\tb\\rc\\nd');
  assert.equal(escapeControls('\x7f\x9b31m'), '\\x7f\\x9b31m');
  assert.equal(escapeControls('abc\u202edef\u2066\u200f\u061c'), 'abc\\u202edef\\u2066\\u200f\\u061c');
  assert.equal(escapeControls('one\u2028two\u2029'), 'one\\u2028two\\u2029');
});

test('every C0 and C1 control, DEL, and every bidi control is caught', () => {
  const unsafe = [0x7f, 0x61c, 0x200e, 0x200f, 0x2028, 0x2029];
  for (let code = 0; code < 0x20; code++) unsafe.push(code, code + 0x80);
  for (let code = 0x202a; code <= 0x202e; code++) unsafe.push(code);
  for (let code = 0x2066; code <= 0x2069; code++) unsafe.push(code);
  for (const code of unsafe) {
    const character = String.fromCharCode(code);
    assert.ok(!escapeControls(`a${character}b`).includes(character), `U+${code.toString(16)} came through`);
  }
});

test('cutting never splits a surrogate pair', () => {
  assert.equal(shorten('abc', 3), 'abc');
  assert.equal(shorten('abcd', 3), 'ab…');
  assert.equal(shorten('a🙄bc', 3), 'a…');
  assert.equal(quote('x\x1by'), '"x\\x1by"');
});
