// A log that is harmed where no frame stands behind the damage: by the files alone it is told.

import assert from 'node:assert/strict';
import fs, { renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { mock, test, type TestContext } from 'node:test';
import { aMessage, anAccount, append, record } from '../../test/contracts/journal.ts';
import { aDirectory } from '../../test/kit/directory.ts';
import { sealedFrame } from '../../test/kit/frames.ts';
import { aHeldJournal, copyAsKilled } from '../../test/kit/held-journal.ts';
import { Random, seedOf } from '../../test/kit/random.ts';
import { backupJournal, salvageJournal } from './backup.ts';
import { glanceAtJournal } from './glance.ts';
import { identityOf } from './database.ts';
import { HEAD_BYTES, seedOf as checkedFrom } from './frame.ts';
import { framesOf, readSegment } from './log-reader.ts';
import { openSqliteJournal } from './sqlite.ts';
import { lostFrom, verifyJournal } from './verify.ts';
import { forgetLater, witnessedIn } from './witness.ts';

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

const goesOn = (next: number) =>
  `The journal goes on as another one, with message ${next}: ids that clients know count no longer`;

function identityAt(path: string): string {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return identityOf(database);
  } finally {
    database.close();
  }
}

/** Opened with these doubts it becomes another one, once, in which all that was not lost is found under its id. */
async function becomesAnother(
  path: string,
  { doubts, texts, next }: { doubts: readonly string[]; texts: number; next: number },
): Promise<void> {
  const before = identityAt(path);
  assert.deepEqual(await opened(path), { head: next - 1, doubts: [[...doubts, goesOn(next)].join('. ')] });
  const after = identityAt(path);
  assert.notEqual(after, before);
  assert.deepEqual(await opened(path), { head: next - 1, doubts: [] });
  assert.equal(identityAt(path), after);
  assert.deepEqual(await verifyJournal(path), []);
  assert.deepEqual(lostFrom(path), next === texts + 1 ? [] : [{ first: texts + 1, last: next - 1 }]);
  const { journal } = await openSqliteJournal({ path });
  assert.deepEqual(await append(journal, aMessage({ text: 'new' })), { result: 'new', id: next });
  const { messages } = await journal.history(ALL);
  await journal.close();
  const ids = messages.map(({ id }) => id);
  assert.deepEqual(ids, [...Array.from({ length: texts }, (_, at) => at + 1), next]);
}

/** As if one more had been told. */
function tellAccount(path: string, upTo: number): void {
  const database = new DatabaseSync(path);
  database.prepare('UPDATE account SET delivered = ? WHERE id = 2').run(upTo);
  database.close();
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

/** The same with a second file, which ends within message 5, and the doubt about that. */
async function aKilledJournalOfTwoFiles(t: TestContext): Promise<{ path: string; doubt: string }> {
  const { path } = await aKilledJournal(t);
  const seed = checkedFrom(identityAt(path));
  const said = (id: number) => sealedFrame(id, [[1_000, 1, 'Bob', 'singlecast', ['Eve'], TEXT, [2]]], seed);
  const [whole, cut] = [said(4), said(5).subarray(0, -10)];
  writeFileSync(`${path}-log-1`, Buffer.concat([whole, cut]));
  const size = whole.length + cut.length;
  const doubt = `${path}-log-1 ends within a message, at byte ${size}: unless that was being written just then, messages from 5 on may be lost`;
  return { path, doubt };
}

/** Each is met once while such a journal is made another one. */
const STEPS = ['unlinkSync', 'ftruncateSync', 'fsyncSync'] as const;
type Step = (typeof STEPS)[number] | 'chmodSync';

/** Does this once, when the step is first tried of a file of the log. */
async function at<T>(step: Step, action: () => void, during: () => Promise<T>): Promise<T> {
  const real: (...given: never[]) => void = fs[step];
  let isNext = true;
  const replaced = mock.method(fs, step, (...given: never[]) => {
    // Directories are synced as well.
    const isWanted = step !== 'fsyncSync' || fs.fstatSync(Number(given[0])).isFile();
    if (isNext && isWanted) {
      isNext = false;
      action();
    }
    return real(...given);
  });
  syncBuiltinESMExports();
  try {
    const result = await during();
    assert.equal(isNext, false, `${step} was not tried`);
    return result;
  } finally {
    replaced.mock.restore();
    syncBuiltinESMExports();
  }
}

for (const step of STEPS) {
  test(
    `a journal that cannot be made another one, for ${step} fails, is opened all the same, and is later`,
    LIMIT,
    async (t) => {
      const { path, doubt } = await aKilledJournalOfTwoFiles(t);
      const before = identityAt(path);
      const fail = () => {
        throw Object.assign(new Error('EIO'), { code: 'EIO' });
      };
      await at(step, fail, async () => {
        const outcome =
          'The journal goes on with message 6, and ids that clients know count until a later start makes it another one, which this one could not: the disk fails';
        assert.deepEqual(await opened(path), { head: 5, doubts: [`${doubt}. ${outcome}`] });
      });
      assert.equal(identityAt(path), before);
      assert.deepEqual(await verifyJournal(path), [doubt]);
      await becomesAnother(path, { doubts: [doubt], texts: 4, next: 6 });
    },
  );

  test(
    `a journal that is being made another one when the server is killed at ${step} becomes it later`,
    LIMIT,
    async (t) => {
      const { path, doubt } = await aKilledJournalOfTwoFiles(t);
      const killed = join(aDirectory(t), 'journal');
      await at(
        step,
        () => copyAsKilled(path, killed),
        async () => assert.deepEqual(await opened(path), { head: 5, doubts: [`${doubt}. ${goesOn(6)}`] }),
      );
      assert.deepEqual(await verifyJournal(killed), [doubt]);
      const copy = `${killed}.copy`;
      await backupJournal(killed, copy);
      await becomesAnother(copy, { doubts: [doubt], texts: 4, next: 6 });
      await becomesAnother(killed, { doubts: [doubt], texts: 4, next: 6 });
    },
  );
}

test(
  'what was said after a start that could not make it another journal is there in the other one',
  LIMIT,
  async (t) => {
    const { path, doubt } = await aKilledJournalOfTwoFiles(t);
    const fail = () => {
      throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
    };
    await at('unlinkSync', fail, async () => {
      const { journal } = await openSqliteJournal({ path });
      assert.deepEqual(await append(journal, aMessage({ text: 'meanwhile' })), { result: 'new', id: 6 });
      await journal.close();
    });
    assert.deepEqual(await opened(path), { head: 6, doubts: [`${doubt}. ${goesOn(7)}`] });
    const { journal } = await openSqliteJournal({ path });
    const { messages } = await journal.history(ALL);
    await journal.close();
    assert.deepEqual(
      messages.map(({ id }) => id),
      [1, 2, 3, 4, 6],
    );
  },
);

test('where not even that can be written down, ids may be given again', LIMIT, async (t) => {
  const { path, log } = await aKilledJournal(t);
  const size = Number(endsIn(path)[2]) - 10;
  truncateSync(log, size);
  const fail = () => {
    throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
  };
  const { head, doubts } = await at('chmodSync', fail, () => opened(path));
  assert.match(
    doubts.join(),
    /Their ids may be given again, for it cannot be made another journal: .*: the disk is full$/,
  );
  assert.equal(head, 2);
  assert.deepEqual(lostFrom(path), []);
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
