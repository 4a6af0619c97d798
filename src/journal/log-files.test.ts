// A log that is harmed where no frame stands behind the damage: by the files alone it is told.

import assert from 'node:assert/strict';
import { renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { aMessage, anAccount, append, record } from '../../test/contracts/journal.ts';
import { aDirectory } from '../../test/kit/directory.ts';
import { aHeldJournal, copyAsKilled } from '../../test/kit/held-journal.ts';
import { Random, seedOf } from '../../test/kit/random.ts';
import { backupJournal, salvageJournal } from './backup.ts';
import { glanceAtJournal } from './glance.ts';
import { identityOf } from './database.ts';
import { HEAD_BYTES, seedOf as checkedFrom } from './frame.ts';
import { framesOf, readSegment } from './log-reader.ts';
import { openSqliteJournal } from './sqlite.ts';
import { verifyJournal } from './verify.ts';

const LIMIT = { timeout: 60_000 };
const ALL = { member: 2, since: 0, limit: 1_000, maxBytes: 1e6 };
const TEXT = 'word '.repeat(200);

/** Of a server that was killed: message 1 is in the database, 2 and 3 are in the log alone. */
async function aKilledJournal(t: TestContext): Promise<{ path: string; log: string }> {
  const { journal, path, hold } = await aHeldJournal(t);
  await record(
    journal,
    { type: 'account-added', account: anAccount(1, 'Bob') },
    { type: 'account-added', account: anAccount(2, 'Eve') },
  );
  await append(journal, aMessage({ text: TEXT }));
  await journal.history(ALL);
  hold();
  for (let id = 2; id <= 3; id++) await append(journal, aMessage({ text: TEXT }));
  const killed = join(aDirectory(t), 'journal');
  copyAsKilled(path, killed);
  return { path: killed, log: `${killed}-log-0` };
}

/** Opens and closes it: the last message it has, and what it doubts. */
async function opened(path: string): Promise<{ head: number; doubts: readonly string[] }> {
  const doubts: string[] = [];
  const { journal, everything } = await openSqliteJournal({ path, onDoubt: (words) => doubts.push(words) });
  await journal.close();
  return { head: everything.head, doubts };
}

/** Where the frames end, one for each message. */
function endsIn(path: string): readonly number[] {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const seed = checkedFrom(identityOf(database));
    return [...framesOf(readSegment(path, { segment: 0 }), seed)].map(({ end }) => end);
  } finally {
    database.close();
  }
}

for (const [where, harm, words] of [
  [
    'whose first file is missing and another one is there',
    ({ log, path }: { log: string; path: string }) => {
      renameSync(log, `${path}-log-1`);
      // Of nothing that the database has not got does it tell.
      writeFileSync(`${path}-log-1`, Buffer.alloc(1_000));
    },
    (log: string) => `its log is damaged: ${log} is missing`,
  ],
  [
    'that is random from its beginning',
    ({ log, t }: { log: string; t: TestContext }) => {
      writeFileSync(log, new Random(seedOf(t)).bytes(10_000));
    },
    (log: string) => `its log is damaged: ${log} does not begin as a log does`,
  ],
] as const) {
  test(`a log ${where} is refused, told by verify, and salvaged`, LIMIT, async (t) => {
    const { path, log } = await aKilledJournal(t);
    harm({ path, log, t });
    const help =
      '`partyline verify` says what else is wrong, `partyline backup --salvage FILE` keeps what is intact, `partyline restore` puts that or a copy in its place';
    const why = words(log);
    await assert.rejects(opened(path), { message: `Cannot open the journal ${path}: ${why} (${help})` });
    assert.deepEqual(await verifyJournal(path), [`The journal is damaged: ${why}`]);
    assert.equal(glanceAtJournal(path), why);
    const to = `${path}.saved`;
    await assert.rejects(backupJournal(path, to), { message: `Cannot back up the journal ${path} to ${to}: ${why}` });
    await salvageJournal(path, to, 1_000);
    assert.deepEqual(await verifyJournal(to), []);
    assert.deepEqual(await opened(to), { head: 1, doubts: [] });
  });
}

test('a log that is missing altogether is told by verify, and at the start, once', LIMIT, async (t) => {
  const { path, log } = await aKilledJournal(t);
  assert.deepEqual(await verifyJournal(path), []);
  rmSync(log);
  const words = `There is no ${log}: messages that were in the log alone are lost`;
  assert.deepEqual(await verifyJournal(path), [words]);
  assert.deepEqual(await opened(path), { head: 1, doubts: [words] });
  assert.deepEqual(await opened(path), { head: 1, doubts: [] });
});

test('a new journal and a copy have no log yet, and nothing is missing', LIMIT, async (t) => {
  const path = join(aDirectory(t), 'journal');
  assert.deepEqual(await opened(path), { head: 0, doubts: [] });
  const copy = `${path}.copy`;
  await backupJournal(path, copy);
  assert.deepEqual(await verifyJournal(copy), []);
  assert.deepEqual(await opened(copy), { head: 0, doubts: [] });
});

for (const [where, from, sizeOf] of [
  ['within its last message', 3, (ends: readonly number[]) => Number(ends[2]) - 10],
  ['within the message before', 2, (ends: readonly number[]) => Number(ends[1]) - 10],
  ['within the head of its last message', 3, (ends: readonly number[]) => Number(ends[1]) + HEAD_BYTES - 4],
  ['within the first word of it', 3, (ends: readonly number[]) => Number(ends[1]) + 2],
] as const) {
  test(`a log that is cut ${where} is told by verify and at the start, and gone on with`, LIMIT, async (t) => {
    const { path, log } = await aKilledJournal(t);
    const size = sizeOf(endsIn(path));
    truncateSync(log, size);
    const words = `${log} ends within a message, at byte ${size}: unless that was being written just then, messages from ${from} on may be lost`;
    assert.deepEqual(await verifyJournal(path), [words]);
    assert.deepEqual(await opened(path), { head: from - 1, doubts: [words] });
    assert.deepEqual(await verifyJournal(path), []);
  });
}

test('a log that grew, and ends behind a message or is empty, is whole', LIMIT, async (t) => {
  const { path, log } = await aKilledJournal(t);
  writeFileSync(`${path}-log-1`, '');
  truncateSync(log, endsIn(path)[2]);
  assert.deepEqual(await verifyJournal(path), []);
  assert.deepEqual(await opened(path), { head: 3, doubts: [] });
});
