import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { aDirectory } from '../../test/kit/directory.ts';
import { MAX_ENTRIES, ProbeHistory } from './probe-history.ts';

test('what was added is read again by the next one, oldest first', (t) => {
  const directory = aDirectory(t);
  const history = new ProbeHistory(directory, '[::1]:7270');
  assert.deepEqual(history.read(), []);
  assert.equal(history.add({ n: 1 }), undefined);
  assert.equal(history.add({ n: 2 }), undefined);
  assert.deepEqual(new ProbeHistory(directory, '[::1]:7270').read(), [{ n: 1 }, { n: 2 }]);
  assert.deepEqual(new ProbeHistory(directory, '[::1]:7271').read(), []);
  if (process.platform !== 'win32') assert.equal(statSync(history.path).mode & 0o777, 0o600);
});

test('a line that was being written when the machine went down is left out, and no more than that', (t) => {
  const history = new ProbeHistory(aDirectory(t), 'hub:1');
  history.add({ n: 1 });
  appendFileSync(history.path, '{"n": 2');
  assert.deepEqual(history.read(), [{ n: 1 }]);
  for (const n of [3, 4]) assert.equal(history.add({ n }), undefined);
  assert.deepEqual(history.read(), [{ n: 1 }, { n: 3 }, { n: 4 }]);
});

test('it grows only so far: the last ones are kept, in a file of their own again', (t) => {
  const directory = aDirectory(t);
  const history = new ProbeHistory(directory, 'hub:1');
  mkdirSync(dirname(history.path), { recursive: true });
  writeFileSync(history.path, Array.from({ length: MAX_ENTRIES + 500 }, (_, n) => `{"n":${n}}\n`).join(''));
  const read = history.read();
  assert.ok(Array.isArray(read) && read.length === MAX_ENTRIES);
  assert.equal(history.add({ n: 'last' }), undefined);
  const lines = readFileSync(history.path, 'utf8').trimEnd().split('\n');
  assert.deepEqual([lines.length, lines[0], lines.at(-1)], [MAX_ENTRIES, '{"n":501}', '{"n":"last"}']);
  assert.equal(readdirSync(dirname(history.path)).length, 1);
});

test('what cannot be kept, or read, is said', (t) => {
  const directory = aDirectory(t);
  writeFileSync(join(directory, 'probes'), '');
  const history = new ProbeHistory(directory, 'hub:1');
  assert.equal(history.add({}), 'its directory is not one');
  assert.deepEqual(history.read(), { why: 'its directory is not one' });
});
