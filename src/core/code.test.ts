import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CODE_LENGTH, formatCode, isToken, parseCode } from './code.ts';

const CODE = '0123-4567-89AB-CDEF-GHJK-MNPQ-RSTV';

test('a code is seven groups of four characters, five bits each', () => {
  assert.equal(formatCode(Uint8Array.from({ length: CODE_LENGTH }, (_, at) => at)), CODE);
  assert.equal(formatCode(new Uint8Array(CODE_LENGTH).fill(0xff)), 'ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ');
});

test('a code is read as people type it', () => {
  for (const typed of [
    CODE,
    CODE.toLowerCase(),
    ` ${CODE}\t`,
    CODE.replaceAll('-', ''),
    CODE.replaceAll('-', ' '),
    CODE.replace('0', 'o').replace('1', 'l'),
    CODE.replace('0', 'O').replace('1', 'I'),
  ]) {
    assert.equal(parseCode(typed), CODE, typed);
  }
});

test('what is no code is none', () => {
  for (const text of ['', 'hello', CODE.slice(0, -1), `${CODE}0`, CODE.replace('0', 'U'), CODE.replace('0', '_')]) {
    assert.equal(parseCode(text), undefined, text);
  }
  assert.equal(parseCode(CODE.replace('-', '--')), undefined);
  assert.equal(parseCode(CODE.replace('K', '\u212a')), undefined);
});

test('code, account token and owner token are never taken for each other', () => {
  for (const filler of ['A', '0', '-', '_']) {
    const owner = filler.repeat(43);
    assert.deepEqual([parseCode(owner), isToken(owner)], [undefined, false]);
    assert.deepEqual([parseCode(`pl_${owner}`), isToken(`pl_${owner}`)], [undefined, true]);
  }
  assert.deepEqual(
    [isToken(CODE), isToken(`PL_${'A'.repeat(43)}`), isToken(`pl_${'A'.repeat(42)}`)],
    [false, false, false],
  );
});
