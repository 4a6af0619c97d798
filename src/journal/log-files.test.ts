// A log that is harmed where no frame stands behind the damage: by the files alone it is told.

import assert from 'node:assert/strict';
import { renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { aDirectory } from '../../test/kit/directory.ts';
import { aKilledJournal, becomesAnother, endsIn, goesOn, opened } from '../../test/kit/killed-journal.ts';
import { Random, seedOf } from '../../test/kit/random.ts';
import { backupJournal, salvageJournal } from './backup.ts';
import { HEAD_BYTES } from './frame.ts';
import { glanceAtJournal } from './glance.ts';
import { verifyJournal } from './verify.ts';
import { forgetLater, witnessedIn } from './witness.ts';

const LIMIT = { timeout: 60_000 };
/** As if one more had been told. */
function tellAccount(path: string, upTo: number): void {
  const database = new DatabaseSync(path);
  database.prepare('UPDATE account SET delivered = ? WHERE id = 2').run(upTo);
  database.close();
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
  await becomesAnother(path, { doubts: [words], texts: 1, next: 2 });
});

test('where an account was told of more, ids go on behind that', LIMIT, async (t) => {
  const { path, log } = await aKilledJournal(t);
  rmSync(log);
  tellAccount(path, 3);
  const missing = `There is no ${log}: messages that were in the log alone are lost`;
  const told = 'Message 3 has reached somebody, and the last one that is there is 1: messages 2 to 3 are lost';
  assert.deepEqual(await verifyJournal(path), [missing, told]);
  await becomesAnother(path, { doubts: [missing, told], texts: 1, next: 4 });
});

test('where a resend key is of a later message than there is, ids go on behind that', LIMIT, async (t) => {
  const { path, log } = await aKilledJournal(t);
  truncateSync(log, endsIn(path)[1]);
  const database = new DatabaseSync(path);
  database.exec("PRAGMA foreign_keys = OFF; INSERT INTO resend VALUES (1, 'key', 3, 1000, x'00')");
  database.close();
  const words = 'Message 3 has reached somebody, and the last one that is there is 2: message 3 is lost';
  const told = await verifyJournal(path);
  assert.ok(told.includes(words), told.join());
  assert.deepEqual(await opened(path), { head: 3, doubts: [`${words}. ${goesOn(4)}`] });
});

test('a log that is cut exactly between two messages is told by whoever had those behind', LIMIT, async (t) => {
  const { path, log } = await aKilledJournal(t);
  const cut = endsIn(path)[1];
  tellAccount(path, 3);
  assert.deepEqual(await verifyJournal(path), [], 'it is in the log');
  truncateSync(log, cut);
  const words = 'Message 3 has reached somebody, and the last one that is there is 2: message 3 is lost';
  assert.deepEqual(await verifyJournal(path), [words]);
  await assert.rejects(backupJournal(path, `${path}.copy`), { message: new RegExp(`the copy is not whole: ${words}`) });
  await becomesAnother(path, { doubts: [words], texts: 2, next: 4 });
});

test('what an account was told of while a copy was made is not missing there', LIMIT, async (t) => {
  const { path } = await aKilledJournal(t);
  const copy = `${path}.copy`;
  await backupJournal(path, copy);
  for (const [told, then] of [
    [3, 2],
    [4, 4],
  ] as const) {
    const database = new DatabaseSync(copy);
    // As it would be if message 3 had come meanwhile.
    database.exec('DELETE FROM talk WHERE message = 3; DELETE FROM recipient WHERE message = 3');
    database.exec('DELETE FROM message WHERE id = 3');
    database.exec(`UPDATE account SET delivered = ${told} WHERE id = 2`);
    forgetLater(database, path);
    assert.equal(witnessedIn(database), then);
    database.close();
  }
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
    await becomesAnother(path, { doubts: [words], texts: from - 1, next: from + 1 });
  });
}

test('a log that grew, and ends behind a message or is empty, is whole', LIMIT, async (t) => {
  const { path, log } = await aKilledJournal(t);
  writeFileSync(`${path}-log-1`, '');
  truncateSync(log, endsIn(path)[2]);
  assert.deepEqual(await verifyJournal(path), []);
  assert.deepEqual(await opened(path), { head: 3, doubts: [] });
});
