import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wordsFor } from './errors.ts';

test('what fails is said in words, whether the database or the file system says it', () => {
  for (const [facts, words] of [
    [{ code: 'EIO' }, 'the disk fails'],
    [{ code: 'ERR_SQLITE_ERROR', errcode: 10 }, 'the disk fails'],
    [{ code: 'ERR_SQLITE_ERROR', errcode: 10 | (8 << 8) }, 'the disk fails'],
    [
      { code: 'ERR_SQLITE_ERROR', errcode: 10 | (3 << 8) },
      'the disk fails, or a file may not get larger here (ulimit -f)',
    ],
    [{ code: 'EFBIG' }, 'a file may not get larger here (ulimit -f)'],
    [{ code: 'ENOSPC' }, 'the disk is full'],
    [{ code: 'EDQUOT' }, 'this user’s share of the disk is full'],
    [{ code: 'EMFILE' }, 'too many files are open here'],
    [{ code: 'ERR_SQLITE_ERROR', errcode: 19 }, 'it breaks a rule of the database: as it says'],
    [{ code: 'ESOMETHING' }, 'as it says'],
  ] as const) {
    assert.equal(wordsFor(Object.assign(new Error('as it says'), facts)), words);
  }
});
