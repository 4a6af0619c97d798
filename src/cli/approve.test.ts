// What is shown of a request before somebody approves it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rowsFor } from './approve.ts';

const REQUEST = {
  approval: 3,
  hash: 'ab',
  expires: '2026-11-22T20:00:00Z',
  by: 'bob',
  own: false,
  asked: '2026-11-22T19:50:00Z',
};
const rowsOf = (canonical: string) => rowsFor({ ...REQUEST, canonical });

test('all that the digest is of is shown, whatever else a newer server starts a command with', () => {
  const request = { command: { argv: ['ls', 'a b'] }, env: { LANG: 'C' }, cwd: '/tmp', colour: 'red' };
  const rows = rowsOf(JSON.stringify({ by: 'bob', hosts: ['web1', 'web2'], request, until: 5 }));
  assert.deepEqual(rows?.slice(1), [
    ['by', 'bob'],
    ['on', 'web[1-2]'],
    ['program', '["ls","a b"]'],
    ['LANG', '"C"'],
    ['until', '5'],
    ['cwd', '"/tmp"'],
    ['colour', '"red"'],
    ['sha256', 'ab'],
  ]);
});

test('a request that cannot be read is none, and no mistake of ours', () => {
  for (const canonical of ['', '{', 'null', '[]', '{"by":1}', '{"by":"b","hosts":[],"request":{"command":1}}']) {
    assert.equal(rowsOf(canonical), undefined, canonical);
  }
});
