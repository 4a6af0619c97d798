import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { aMessage, append } from '../../test/contracts/journal.ts';
import { aDirectory } from '../../test/kit/directory.ts';
import { aHeldJournal, copyAsKilled } from '../../test/kit/held-journal.ts';
import { leaveOut } from '../../test/kit/needs.ts';
import type { Journal } from '../core/journal.ts';
import { backupJournal } from './backup.ts';
import { identityOf, numberOf } from './database.ts';
import { glanceAtJournal } from './glance.ts';
import { Log } from './log.ts';
import { openSqliteJournal } from './sqlite.ts';
import { verifyJournal } from './verify.ts';

const LIMIT = { timeout: 60_000 };
const DESCRIPTORS = '/proc/self/fd';

/** What this process has open below a directory. */
function openBelow(directory: string): string[] {
  return readdirSync(DESCRIPTORS).flatMap((number) => {
    try {
      const path = readlinkSync(join(DESCRIPTORS, number));
      return path.startsWith(directory) ? [path] : [];
    } catch {
      return []; // the one that the list itself was read with
    }
  });
}

test('a journal that cannot be opened leaves no file open', LIMIT, async (t) => {
  if (!existsSync(DESCRIPTORS)) return leaveOut(t, 'this machine does not say what a process has open');
  const directory = aDirectory(t);
  let count = 0;
  // The second one is the reader.
  const endReader = (worker: Worker) => {
    count += 1;
    if (count === 2) void worker.terminate();
  };
  process.on('worker', endReader);
  t.after(() => process.off('worker', endReader));
  await assert.rejects(openSqliteJournal({ path: join(directory, 'journal') }), /its reader is gone: it ended$/);
  assert.deepEqual(openBelow(directory), []);
});

const ALL = { member: 2, since: 0, limit: 1_000, maxBytes: 1e6 };

async function textsIn(journal: Journal): Promise<string[]> {
  return (await journal.history(ALL)).messages.map(({ id, text }) => `${id} ${text}`);
}

test('a journal opens before its database has what the log holds', LIMIT, async (t) => {
  const killed = await aHeldJournal(t);
  await append(killed.journal, aMessage({ text: 'one' }));
  await killed.journal.history(ALL);
  killed.hold();
  for (const key of ['two', 'three']) await append(killed.journal, aMessage({ text: key, resendKey: key }));
  const path = `${killed.path}-copy`;
  copyAsKilled(killed.path, path);
  const { journal, everything, letGo } = await aHeldJournal(t, { path, isHeld: true });
  assert.equal(everything.head, 3);
  const again = aMessage({ text: 'two', resendKey: 'two', atMs: 9_000 });
  assert.deepEqual(await append(journal, again), { result: 'same', id: 2, atMs: 1_000 });
  assert.deepEqual(await append(journal, aMessage({ text: 'four' })), { result: 'new', id: 4 });
  const database = new DatabaseSync(path, { readOnly: true });
  t.after(() => database.close());
  assert.equal(numberOf(database, 'SELECT max(id) FROM message'), 1);
  letGo();
  assert.deepEqual(await textsIn(journal), ['1 one', '2 two', '3 three', '4 four']);
  assert.deepEqual(await append(journal, again), { result: 'same', id: 2, atMs: 1_000 });
});

/** A closed journal whose log has these messages, a frame for each; of the first one the database has half. */
async function aJournalWithLog(t: TestContext, texts: readonly string[]): Promise<string> {
  const path = join(aDirectory(t), 'journal');
  const { journal } = await openSqliteJournal({ path });
  await append(journal, aMessage({ text: 'one' }));
  await journal.close();
  const database = new DatabaseSync(path, { readOnly: true });
  const identity = identityOf(database);
  database.close();
  const log = await Log.open({ path, identity, head: 0 });
  let first = 1;
  for (const text of texts) {
    const messages = (first === 1 ? ['one', text] : [text]).map((each) => [
      1_000,
      1,
      'Bob',
      'singlecast',
      ['Eve'],
      each,
      [2],
    ]);
    const frame = { first, count: messages.length, json: JSON.stringify(messages) };
    assert.equal(await new Promise((resolve) => log.write(frame, resolve)), null);
    first += messages.length;
  }
  await log.close();
  return path;
}

/** Where the first frame has its length. */
const LENGTH = 8;

function damage(path: string, what: string | number): void {
  const bytes = readFileSync(`${path}-log-0`);
  const at = typeof what === 'number' ? what : bytes.indexOf(what);
  bytes.fill(0xff, at, at + 4);
  writeFileSync(`${path}-log-0`, bytes);
}

test('a frame of which the database has a part is gone on with', LIMIT, async (t) => {
  const path = await aJournalWithLog(t, ['two', 'three']);
  const { journal } = await openSqliteJournal({ path });
  t.after(() => journal.close());
  assert.deepEqual(await textsIn(journal), ['1 one', '2 two', '3 three']);
});

for (const [where, what, last, next] of [
  ['in the middle', '"three"', 2, 4],
  ['at its beginning', '"two"', 1, 3],
  ['in the length of its first frame', LENGTH, 1, 3],
] as const) {
  test(`a log that is damaged ${where} is refused: what stands behind it was acknowledged`, LIMIT, async (t) => {
    const path = await aJournalWithLog(t, ['two', 'three', 'four']);
    damage(path, what);
    const words = `its log is damaged: all up to message ${last} is there, and message ${next} stands behind the damage`;
    const help = '`partyline verify` says what else is wrong, `partyline restore` puts a copy in its place';
    await assert.rejects(openSqliteJournal({ path }), {
      message: `Cannot open the journal ${path}: ${words} (${help})`,
    });
    const to = `${path}-copy`;
    await assert.rejects(backupJournal(path, to), {
      message: `Cannot back up the journal ${path} to ${to}: ${words}`,
    });
    assert.deepEqual(await verifyJournal(path), [`The journal is damaged: ${words}`]);
    assert.equal(glanceAtJournal(path), words);
  });
}

test('a log that is damaged while a server runs stops it from storing more', LIMIT, async (t) => {
  const { journal, path, hold, letGo } = await aHeldJournal(t);
  hold();
  for (const text of ['one', 'two', 'three']) await append(journal, aMessage({ text }));
  damage(path, '"two"');
  letGo();
  assert.deepEqual(await textsIn(journal), []);
  const reason = 'its log does not hold what was written there, from message 1 on';
  assert.deepEqual(journal.health, { state: 'failing', reason });
  assert.deepEqual(await append(journal, aMessage()), { result: 'failed', reason });
});
