// A journal whose disk or database takes nothing for a while: what is refused meanwhile, what waits, and how it is over.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { aMessage, anAccount, append, record } from '../../test/contracts/journal.ts';
import { aDirectory, newDirectory, removeDirectory } from '../../test/kit/directory.ts';
import { leaveOut, needs } from '../../test/kit/needs.ts';
import type { Journal } from '../core/journal.ts';
import type { Later } from './sqlite-journal.ts';
import { openSqliteJournal } from './sqlite.ts';
import { verifyJournal } from './verify.ts';

const LIMIT = { timeout: 60_000 };
const ALL = { member: 2, since: 0, limit: 100_000, maxBytes: 1e9 };

async function open(t: TestContext, { later }: { later: Later }, path = join(aDirectory(t), 'journal')) {
  const opened = await openSqliteJournal({ path, later });
  t.after(() => opened.journal.close());
  return { ...opened, path };
}

/** Goes off when it is told to. */
function aTimer() {
  const actions = new Set<() => void>();
  const later: Later = (action) => {
    actions.add(action);
    return () => actions.delete(action);
  };
  const goOff = () => {
    // What is to be tried once more is for the next time.
    const due = [...actions];
    actions.clear();
    for (const action of due) action();
  };
  return { later, goOff };
}

test(
  'while another process holds the database the log goes on, and then refuses until it is let go; a feed waits',
  LIMIT,
  async (t) => {
    const timer = aTimer();
    const { journal, path } = await open(t, timer);
    await append(journal, aMessage());
    assert.equal((await journal.history(ALL)).messages.length, 1);
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    const reason = 'another process holds it';
    assert.deepEqual(await append(journal, aMessage()), { result: 'new', id: 2 });
    assert.equal((await journal.history(ALL)).messages.length, 1);
    assert.deepEqual(journal.health, { state: 'failing', reason });
    let isAnswered = false;
    const feed = journal.feed({ ...ALL, after: 1, upTo: 2 }).finally(() => (isAnswered = true));
    assert.deepEqual(await append(journal, aMessage()), { result: 'failed', reason });
    timer.goOff();
    assert.equal((await journal.history(ALL)).messages.length, 1);
    assert.equal(isAnswered, false);
    other.exec('ROLLBACK');
    other.close();
    timer.goOff();
    assert.deepEqual(
      (await feed).messages.map(({ id }) => id),
      [2],
    );
    assert.deepEqual(journal.health, { state: 'ok' });
    assert.deepEqual(await append(journal, aMessage()), { result: 'new', id: 3 });
    assert.deepEqual(journal.health, { state: 'ok' });
    assert.equal((await journal.history(ALL)).messages.length, 3);
  },
);

test('a feed that waits for a database that is held ends when the journal closes', LIMIT, async (t) => {
  const { journal, path } = await open(t, aTimer());
  const other = new DatabaseSync(path);
  t.after(() => other.close());
  other.exec('BEGIN IMMEDIATE');
  await append(journal, aMessage());
  const refused = assert.rejects(journal.feed({ ...ALL, after: 0, upTo: 1 }), /: the journal is closed$/);
  await journal.history(ALL);
  await journal.close();
  await refused;
});

test('changes that could not be recorded are forgotten once others could be, with nobody asking', LIMIT, async (t) => {
  const timer = aTimer();
  const { journal, path } = await open(t, timer);
  await record(journal, { type: 'account-added', account: anAccount(1, 'Bob') });
  const other = new DatabaseSync(path);
  other.exec('BEGIN IMMEDIATE');
  const reason = 'another process holds it';
  assert.deepEqual(await record(journal, { type: 'delivered', account: 1, upTo: 7 }), { failed: reason });
  assert.deepEqual(journal.health, { state: 'failing', reason });
  other.exec('ROLLBACK');
  other.close();
  timer.goOff();
  await setImmediate();
  // The writer answers in the order of asking.
  await journal.search({ ...ALL, words: 'any' });
  assert.deepEqual(journal.health, { state: 'ok' });
  await journal.close();
  assert.equal((await open(t, aTimer(), path)).everything.accounts[0]?.delivered, 0);
});

test(
  'on a full disk writes fail, reads go on, and with room again it recovers with nobody asking',
  LIMIT,
  async (t) => {
    if (!needs(t, ['mount', 'umount'], { root: true })) return;
    const directory = newDirectory();
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', directory]);
    t.after(() => {
      spawnSync('umount', ['-l', directory]);
      return removeDirectory(directory);
    });
    if (mounted.status !== 0) return leaveOut(t, 'this machine does not let root mount a tmpfs');
    const timer = aTimer();
    const { journal, path } = await open(t, timer, join(directory, 'journal'));
    await append(journal, aMessage({ text: 'before' }));
    assert.equal((await journal.history(ALL)).messages.length, 1);
    const filler = join(directory, 'filler');
    // As large as it gets: what does not fit is an error, and the file stays.
    assert.throws(() => writeFileSync(filler, Buffer.alloc(5_000_000)), { code: 'ENOSPC' });
    const big = aMessage({ text: 'x '.repeat(30_000) });
    assert.deepEqual(await append(journal, big), { result: 'failed', reason: 'the disk is full' });
    assert.deepEqual(journal.health, { state: 'failing', reason: 'the disk is full' });
    assert.equal((await journal.history(ALL)).messages.length, 1);
    timer.goOff();
    await settled(journal);
    assert.deepEqual(journal.health, { state: 'failing', reason: 'the disk is full' });
    rmSync(filler);
    timer.goOff();
    await settled(journal);
    assert.deepEqual(journal.health, { state: 'ok' });
    assert.deepEqual(await append(journal, big), { result: 'new', id: 2 });
    await record(
      journal,
      { type: 'account-added', account: anAccount(1, 'Bob') },
      { type: 'account-added', account: anAccount(2, 'Eve') },
    );
    assert.deepEqual(await verifyJournal(path), []);
  },
);

function settled(journal: Journal): Promise<void> {
  return new Promise((resolve) => journal.settle(resolve));
}
