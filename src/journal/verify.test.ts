// Which messages are altered, and where: in the database, in the log, or nobody knows.

import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { aMessage, anAccount, append, record } from '../../test/contracts/journal.ts';
import { aDirectory } from '../../test/kit/directory.ts';
import { backupJournal } from './backup.ts';
import { openSqliteJournal } from './sqlite.ts';
import { verifyJournal } from './verify.ts';

const LIMIT = { timeout: 60_000 };
const MESSAGES = 20;

const textOf = (id: number) => `said as number${id}`;

/** Closed; all is in the database, searched and in the log, a frame for each message, every third of them to all. */
async function aJournal(t: TestContext): Promise<string> {
  const path = join(aDirectory(t), 'journal');
  const { journal } = await openSqliteJournal({ path });
  await record(
    journal,
    { type: 'account-added', account: anAccount(1, 'Bob') },
    { type: 'account-added', account: anAccount(2, 'Eve') },
  );
  for (let id = 1; id <= MESSAGES; id++) {
    const toAll = id % 3 === 0 ? ({ cast: 'broadcast', to: ['all'], recipients: [] } as const) : {};
    await append(journal, aMessage({ text: textOf(id), ...toAll }));
  }
  await journal.search({ member: 1, since: 0, words: 'any', limit: 1 });
  await journal.close();
  return path;
}

function alter(path: string, sql: string): void {
  // Also what an index is made of.
  const database = new DatabaseSync(path, { defensive: false });
  database.exec(sql);
  database.close();
}

function alterLog(path: string, ...ids: number[]): void {
  const bytes = readFileSync(`${path}-log-0`);
  for (const id of ids) bytes.write('SAID', bytes.indexOf(textOf(id)));
  writeFileSync(`${path}-log-0`, bytes);
}

const inDatabase = (id: number, what: string) =>
  `Message ${id} is altered in the database: it has ${what} there than in the log, whose checksum is right`;
const unknown = (id: number) =>
  `Message ${id} has not the words that search has of it: its text is altered in the database, or they are`;

test('a message that is altered in the database is named, and by the log it is known that it is', LIMIT, async (t) => {
  const path = await aJournal(t);
  alter(path, "UPDATE message SET text = 'never said' WHERE id IN (3, 4); UPDATE message SET at_ms = 1 WHERE id = 7");
  const told = [inDatabase(3, 'another text'), inDatabase(4, 'another text'), inDatabase(7, 'another time')];
  assert.deepEqual(await verifyJournal(path), told);
});

test('where the log has it no more, a message whose words are others is named', LIMIT, async (t) => {
  const path = await aJournal(t);
  alter(
    path,
    "UPDATE message SET text = 'never said' WHERE id = 3; UPDATE message SET text = text || ' now' WHERE id = 5",
  );
  alter(path, 'PRAGMA journal_mode = DELETE');
  rmSync(`${path}-log-0`);
  assert.deepEqual((await verifyJournal(path)).toSorted(), [unknown(3), unknown(5)]);
});

for (const [harm, damaged, altered] of [
  ["INSERT INTO said_0 (rowid, text) VALUES (99, 'never said')", 'said_0', 5],
  ["INSERT INTO told_0 (rowid, text) VALUES (99, 'never said')", 'told_0', 3],
  ["UPDATE said_0_data SET block = x'00' WHERE id > 10", 'said_0', 5],
  ["UPDATE told_0_data SET block = x'00' WHERE id > 10", 'told_0', 3],
] as const) {
  test(`a message of another table is named beside ${damaged}, after ${harm}`, LIMIT, async (t) => {
    const path = await aJournal(t);
    alter(path, `UPDATE message SET text = 'never said' WHERE id = ${altered}; ${harm}`);
    alter(path, 'PRAGMA journal_mode = DELETE');
    rmSync(`${path}-log-0`);
    const told = (await verifyJournal(path)).filter((problem) => !problem.startsWith('The database is damaged: '));
    assert.deepEqual(told, [unknown(altered), 'The index of words does not agree with the messages: it is damaged']);
  });
}

test('of very many that are altered the first ones are named', LIMIT, async (t) => {
  const path = await aJournal(t);
  alter(path, "UPDATE message SET text = 'never said'");
  const first = Array.from({ length: 10 }, (_, at) => at + 1);
  assert.deepEqual(
    await verifyJournal(path),
    first.map((id) => inDatabase(id, 'another text')),
  );
});

test('a message that is altered in the log is named, and a copy has what the database has', LIMIT, async (t) => {
  const path = await aJournal(t);
  alterLog(path, 1, 8, 9);
  const where = (id: string, problem: string | undefined) =>
    assert.match(
      problem ?? '',
      new RegExp(
        `^${id} altered in the log, not in the database: the checksum of ${path}-log-0 from byte \\d+ on is wrong$`,
      ),
    );
  const problems = await verifyJournal(path);
  assert.equal(problems.length, 2, problems.join('\n'));
  where('Message 1 is', problems[0]);
  where('Messages 8 to 9 are', problems[1]);
  const copy = `${path}.copy`;
  await backupJournal(path, copy);
  assert.deepEqual(await verifyJournal(copy), []);
});

test('the very end of a log that is not whole may be a crash, and is told by nobody', LIMIT, async (t) => {
  const path = await aJournal(t);
  alterLog(path, MESSAGES);
  assert.deepEqual(await verifyJournal(path), []);
});
