// What two prompts at once keep of what was typed.

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { aDirectory } from '../../../test/kit/directory.ts';
import { History, HISTORY_FILE } from './history.ts';

test('two prompts at once lose none of each other’s lines', (t) => {
  const directory = join(aDirectory(t), 'state');
  const [one, other] = [new History(directory, assert.fail), new History(directory, assert.fail)];
  one.keep('uptime');
  other.keep('date');
  one.keep('id');
  one.keep(' a secret');
  assert.deepEqual([one.lines, other.lines], [['id', 'uptime'], ['date']]);
  assert.deepEqual(new History(directory, assert.fail).lines, ['id', 'date', 'uptime']);
  const path = join(directory, HISTORY_FILE);
  assert.equal(readFileSync(path, 'utf8'), 'uptime\ndate\nid\n');
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('a file that has grown long is cut to what is kept', (t) => {
  const directory = aDirectory(t);
  const path = join(directory, HISTORY_FILE);
  const lines = (first: number, last: number) =>
    Array.from({ length: last - first + 1 }, (_, index) => `echo ${first + index}\n`).join('');
  writeFileSync(path, lines(1, 2_000), { mode: 0o600 });
  const history = new History(directory, assert.fail);
  assert.equal(readFileSync(path, 'utf8'), lines(1, 2_000));
  history.keep('echo 2001');
  assert.equal(readFileSync(path, 'utf8'), lines(1_002, 2_001));
  assert.deepEqual(history.lines, new History(directory, assert.fail).lines);
  assert.deepEqual(readdirSync(directory), [HISTORY_FILE]);
});

test('what cannot be kept is said once, and is there until the prompt ends', (t) => {
  const directory = aDirectory(t);
  const path = join(directory, HISTORY_FILE);
  mkdirSync(path);
  const said: string[] = [];
  const history = new History(directory, (text) => said.push(text));
  history.keep('uptime');
  history.keep('id');
  assert.deepEqual(history.lines, ['id', 'uptime']);
  assert.deepEqual(said, [`Cannot keep what is typed in ${path}: it is not a file; it is kept until you leave`]);
});

test('a file that others may read is not added to', (t) => {
  const directory = aDirectory(t);
  const path = join(directory, HISTORY_FILE);
  writeFileSync(path, 'uptime\n');
  chmodSync(path, 0o644);
  const said: string[] = [];
  new History(directory, (text) => said.push(text)).keep('id');
  assert.equal(readFileSync(path, 'utf8'), 'uptime\n');
  assert.match(said.join(), /others may read it \(mode 0644\)/);
});
