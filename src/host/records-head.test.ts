// The heads that a machine keeps: of each server the latest, and none is lost for another one.

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { aDirectory } from '../../test/kit/directory.ts';
import { RecordsHead } from './records-head.ts';

const NOW = { now: () => Date.UTC(2020, 11, 17) };
const TIME = '2020-12-17T00:00:00.000Z';

test('of each server the latest head is kept, the one that was told last at the end', (t) => {
  const path = join(aDirectory(t), 'records-head');
  const [one, other] = ['one.example', 'other.example'].map((server) => new RecordsHead(path, { server, ...NOW }));
  assert.ok(one !== undefined && other !== undefined);
  for (const [head, kept] of [
    ['a1', one],
    ['b1', other],
    ['a2', one],
  ] as const) {
    assert.equal(kept.keep(head), undefined);
  }
  assert.equal(readFileSync(path, 'utf8'), `b1 other.example ${TIME}\na2 one.example ${TIME}\n`);
});

test('a file that cannot be read is not written over, and keeps once it can be', (t) => {
  const directory = aDirectory(t);
  const path = join(directory, 'records-head');
  const kept = new RecordsHead(path, { server: 'one.example', ...NOW });
  // What nobody can read as a file, root neither.
  mkdirSync(path);
  const why = `Cannot read ${path}: illegal operation on a directory; no head is kept until it can be read or is moved away`;
  assert.equal(kept.keep('a1'), why);
  assert.deepEqual(readdirSync(directory), ['records-head']);
  rmdirSync(path);
  writeFileSync(path, `b1 other.example ${TIME}\n`);
  assert.equal(kept.keep('a1'), undefined);
  assert.match(readFileSync(path, 'utf8'), /^b1 other[^\n]*\na1 one/);
});

test('what cannot be written leaves what was there, and nothing half done', (t) => {
  const directory = aDirectory(t);
  const path = join(directory, 'records-head');
  const kept = new RecordsHead(path, { server: 'one.example', ...NOW });
  assert.equal(kept.keep('a1'), undefined);
  const before = readFileSync(path, 'utf8');
  // A directory in the place of what is written first: root too is stopped by it.
  const unfinished = `${path}.unfinished-${process.pid}`;
  mkdirSync(unfinished);
  assert.match(kept.keep('a2') ?? '', /^Cannot write .*; it has the head that was kept before$/);
  assert.equal(readFileSync(path, 'utf8'), before);
  rmdirSync(unfinished);
  chmodSync(path, 0o600);
  assert.equal(kept.keep('a2'), undefined);
  assert.match(readFileSync(path, 'utf8'), /^a2 one/);
});
