import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { lockDirectory } from './lock.ts';

test('a directory serves one server at a time, and is free again when that one has gone', (t) => {
  const parent = mkdtempSync(join(tmpdir(), 'partyline-'));
  t.after(() => rmSync(parent, { recursive: true }));
  const directory = join(parent, 'data');
  const first = lockDirectory(directory);
  assert.equal(statSync(directory).mode & 0o777, 0o700);
  assert.throws(() => lockDirectory(directory), {
    message: `Cannot use ${directory} for the server's data: another server uses it`,
  });
  // A machine's place at a server is another matter.
  const machine = lockDirectory(directory, 'machine');
  assert.throws(() => lockDirectory(directory, 'machine'), /machine's state: another partyline join uses it; nothing/);
  machine.release();
  first.release();
  lockDirectory(directory).release();
});

test('what was made for a lock goes with it, and what was there before stays', (t) => {
  const parent = mkdtempSync(join(tmpdir(), 'partyline-'));
  t.after(() => rmSync(parent, { recursive: true }));
  const directory = join(parent, 'made', 'data');
  const lock = lockDirectory(directory);
  writeFileSync(join(directory, 'journal.db'), '');
  lock.discard();
  assert.deepEqual(readdirSync(parent), []);
  const shared = lockDirectory(directory);
  writeFileSync(join(parent, 'made', 'of somebody else'), '');
  shared.discard();
  assert.deepEqual(readdirSync(join(parent, 'made')), ['of somebody else']);
  lockDirectory(parent).discard();
  assert.deepEqual(readdirSync(parent).sort(), ['lock', 'made']);
});

test('what is not a directory is refused in words', (t) => {
  const parent = mkdtempSync(join(tmpdir(), 'partyline-'));
  t.after(() => rmSync(parent, { recursive: true }));
  const file = join(parent, 'file');
  writeFileSync(file, '');
  assert.throws(() => lockDirectory(file), {
    message: `Cannot use ${file} for the server's data: it is not a directory`,
  });
});

test('a place where nothing can be made is refused, not tried for ever', { skip: process.platform !== 'linux' }, () => {
  for (const directory of ['/proc/nothing', '/proc/nothing/below']) {
    assert.throws(() => lockDirectory(directory), {
      message: `Cannot use ${directory} for the server's data: it cannot be made there`,
    });
  }
});

test('a directory that others may write to, or that belongs to another user, is refused', (t) => {
  const parent = mkdtempSync(join(tmpdir(), 'partyline-'));
  t.after(() => rmSync(parent, { recursive: true }));
  for (const mode of [0o777, 0o770, 0o702]) {
    chmodSync(parent, mode);
    assert.throws(() => lockDirectory(parent), /: others may write there \(mode 07\d\d\)$/);
  }
  chmodSync(parent, 0o755);
  lockDirectory(parent).release();
  if (process.geteuid?.() !== 0) return;
  chownSync(parent, 65_534, 65_534);
  assert.throws(() => lockDirectory(parent), /: it belongs to another user \(id 65534\)$/);
});
