import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isToken, parseCode } from '../core/code.ts';
import { hashSecret, newCode, newToken } from './code.ts';

test('every code and token is new, and reads as what it is', () => {
  const codes = new Set(Array.from({ length: 1_000 }, () => newCode()));
  const tokens = new Set(Array.from({ length: 1_000 }, () => newToken()));
  assert.deepEqual([codes.size, tokens.size], [1_000, 1_000]);
  for (const code of codes) assert.equal(parseCode(code), code);
  for (const token of tokens) assert.ok(isToken(token), token);
});

test('every character of the alphabet comes at every place of a code', () => {
  const seen = Array.from({ length: newCode().length }, () => new Set<string>());
  for (let n = 0; n < 2_000; n++)
    for (const [at, character] of Array.from(newCode()).entries()) seen[at]?.add(character);
  // 32 characters, or the one hyphen; that one of 32 is missing after 2,000 draws has a chance of 1 in 10^24.
  for (const [at, characters] of seen.entries()) assert.equal(characters.size, at % 5 === 4 ? 1 : 32, `place ${at}`);
});

test('the digest is SHA-256 (FIPS 180-4, example "abc") in base64url', () => {
  assert.equal(hashSecret('abc'), 'ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0');
});
