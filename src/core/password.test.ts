import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgePassword, type PasswordRefusal } from './password.ts';

function passwordOf(text: string): string {
  const judged = judgePassword(text);
  return 'refused' in judged ? assert.fail(`${JSON.stringify(text)}: ${judged.refused}`) : judged.password;
}

test('nothing is asked of a password but its length', () => {
  for (const text of [
    'password',
    '12345678',
    '        ',
    'correct horse battery staple',
    'מפתח סודי מאוד',
    '🙂🙃🙂🙃🙂🙃🙂🙃',
  ]) {
    assert.equal(passwordOf(text), text);
  }
});

test('ways to type the same characters are one password, case is kept', () => {
  assert.equal(passwordOf('Zoe\u0308 la la'), 'Zo\u00eb la la');
  assert.equal(passwordOf('correct\u00a0horse\u3000staple'), 'correct horse staple');
  assert.equal(passwordOf('क्\u200dष क्\u200cष abc'), 'क्\u200dष क्\u200cष abc');
  assert.notEqual(passwordOf('Passphrase'), passwordOf('passphrase'));
  assert.notEqual(passwordOf('ｐassword'), passwordOf('password'));
});

test('it has 8 code points at least and 1,024 bytes at most, after normalisation', () => {
  passwordOf('𐐀'.repeat(8));
  passwordOf('e\u0301'.repeat(512));
  passwordOf('u\u0308\u0304'.repeat(512));
  const refused: [string, PasswordRefusal][] = [
    ['', { refused: 'too-short', codePoints: 0, minCodePoints: 8 }],
    ['1234567', { refused: 'too-short', codePoints: 7, minCodePoints: 8 }],
    ['𐐀'.repeat(7), { refused: 'too-short', codePoints: 7, minCodePoints: 8 }],
    ['e\u0301'.repeat(7), { refused: 'too-short', codePoints: 7, minCodePoints: 8 }],
    ['é'.repeat(513), { refused: 'too-long', bytes: 1_026, maxBytes: 1_024 }],
    ['x'.repeat(10_000), { refused: 'too-long', bytes: 10_000, maxBytes: 1_024 }],
  ];
  for (const [text, refusal] of refused) assert.deepEqual(judgePassword(text), refusal);
});

test('controls and what is drawn as nothing are refused and named', () => {
  const bad = [
    0x00, 0x09, 0x7f, 0x85, 0xad, 0x34f, 0x1112, 0x200b, 0x2028, 0x202e, 0x3164, 0xd800, 0xe000, 0xfe0f, 0x378,
  ];
  for (const codePoint of bad) {
    const judged = judgePassword(`password${String.fromCodePoint(codePoint)}x`);
    assert.deepEqual(judged, { refused: 'bad-character', codePoint }, codePoint.toString(16));
  }
});
