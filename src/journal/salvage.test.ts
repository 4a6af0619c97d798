import assert from 'node:assert/strict';
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { aMessage, anAccount, append, record } from '../../test/contracts/journal.ts';
import { damageFrame, type Logged, type Place, writeLog } from '../../test/kit/damaged-journal.ts';
import { aDirectory } from '../../test/kit/directory.ts';
import { backupJournal, salvageJournal } from './backup.ts';
import type { Salvaged } from './salvage.ts';
import { openSqliteJournal } from './sqlite.ts';
import { lostFrom, verifyJournal } from './verify.ts';

const LIMIT = { timeout: 60_000 };
const NOW = 1_608_235_613_000;

/** A closed journal whose database has message 1, and whose log has the others: a frame of two for each word of a segment. */
async function aJournalWith(
  t: TestContext,
  segments: readonly (readonly string[])[],
  { isOld = false } = {},
): Promise<Damaged> {
  const path = join(aDirectory(t), 'journal');
  const { journal, everything } = await openSqliteJournal({ path });
  await record(
    journal,
    { type: 'account-added', account: anAccount(1, 'Bob') },
    { type: 'account-added', account: anAccount(2, 'Eve') },
  );
  await append(journal, aMessage({ text: '1' }));
  await journal.close();
  return { ...writeLog(path, 2, { segments, isOld }), journalId: everything.journalId };
}

interface Damaged extends Logged {
  readonly journalId: string;
}

const ALL = { member: 2, since: 0, limit: 1_000, maxBytes: 1e6 };

/** Of a salvaged journal: whole, with these messages and no other, another journal, and going on behind all ids. */
async function holdsOnly(damaged: Damaged, { to, ids, next }: { to: string; ids: readonly number[]; next: number }) {
  assert.deepEqual(await verifyJournal(to), []);
  // As `partyline restore` puts it in place.
  const restored = `${to}-restored`;
  await backupJournal(to, restored, { isRenewed: true });
  assert.deepEqual(lostFrom(restored), lostFrom(to));
  const { journal, everything } = await openSqliteJournal({ path: restored });
  const { messages } = await journal.history(ALL);
  assert.deepEqual(
    messages.map(({ id }) => id),
    ids,
  );
  assert.ok(
    messages.every(({ id, text }) => text.split(' ').at(-1) === `${id}`),
    'each under its own id',
  );
  const found = await journal.search({ member: 2, since: 0, words: 'three', limit: 100 });
  assert.deepEqual(
    found.messages.map(({ id }) => id),
    messages.filter(({ text }) => text.startsWith('three')).map(({ id }) => id),
  );
  assert.equal(everything.head, next - 1);
  assert.notEqual(everything.journalId, damaged.journalId);
  assert.deepEqual(
    everything.accounts.map(({ name }) => name),
    ['Bob', 'Eve'],
  );
  const kept = ids.find((id) => id > 1 && id % 2 === 1);
  if (kept !== undefined) {
    const again = await append(journal, aMessage({ resendKey: `key ${kept}`, atMs: 2_000 }));
    assert.deepEqual(again, { result: 'other', id: kept }, 'its resend key stands for it still');
  }
  assert.deepEqual(await append(journal, aMessage({ text: `new ${next}` })), { result: 'new', id: next });
  await journal.close();
  assert.deepEqual(await verifyJournal(restored), []);
}

const SEGMENTS = [['two', 'three'], ['four', 'five'], ['six']] as const;

const CASES: readonly {
  readonly where: string;
  readonly harm: (damaged: Damaged) => Place[];
  readonly ids: readonly number[];
  readonly lost: readonly (readonly [first: number, last: number])[];
  readonly next: number;
  readonly unread?: readonly string[];
}[] = [
  { where: 'nowhere', harm: () => [], ids: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], lost: [], next: 12 },
  {
    where: 'in its first frame',
    harm: (damaged) => [damageFrame(damaged, 'two')],
    ids: [1, 4, 5, 6, 7, 8, 9, 10, 11],
    lost: [[2, 3]],
    next: 12,
  },
  {
    where: 'in the head of its first frame',
    harm: (damaged) => [damageFrame(damaged, 'two', { isHead: true })],
    ids: [1, 4, 5, 6, 7, 8, 9, 10, 11],
    lost: [[2, 3]],
    next: 12,
  },
  {
    where: 'at the end of a segment',
    harm: (damaged) => [damageFrame(damaged, 'three')],
    ids: [1, 2, 3, 6, 7, 8, 9, 10, 11],
    lost: [[4, 5]],
    next: 12,
  },
  {
    where: 'in its last frame, whose head says what was in it',
    harm: (damaged) => [damageFrame(damaged, 'six')],
    ids: [1, 2, 3, 4, 5, 6, 7, 8, 9],
    lost: [[10, 11]],
    next: 12,
  },
  {
    where: 'in several places',
    harm: (damaged) => [damageFrame(damaged, 'two'), damageFrame(damaged, 'five')],
    ids: [1, 4, 5, 6, 7, 10, 11],
    lost: [
      [2, 3],
      [8, 9],
    ],
    next: 12,
  },
  {
    where: 'where a segment is missing',
    harm: ({ path }) => {
      rmSync(`${path}-log-1`);
      return [];
    },
    ids: [1, 2, 3, 4, 5, 10, 11],
    lost: [[6, 9]],
    next: 12,
  },
  {
    where: 'all over',
    harm: (damaged) => {
      for (const word of ['two', 'three', 'four', 'five', 'six']) damageFrame(damaged, word, { isHead: true });
      return [];
    },
    ids: [1],
    lost: [],
    next: 2,
    unread: ['journal-log-0 0', 'journal-log-1 0', 'journal-log-2 0'],
  },
];

const CASES_OF_BOTH = CASES.flatMap((each) => [
  { ...each, isOld: false },
  { ...each, isOld: true },
]);

for (const { where, harm, ids, lost, next, unread = [], isOld } of CASES_OF_BOTH) {
  const what = `a log${isOld ? ' of an older program' : ''} that is damaged ${where}`;
  test(`of ${what} all the rest is kept, and what is lost is said`, LIMIT, async (t) => {
    const damaged = await aJournalWith(t, SEGMENTS, { isOld });
    const { path } = damaged;
    const places = harm(damaged);
    const names = readdirSync(dirname(path));
    const before = names.map((name) => readFileSync(join(dirname(path), name)));
    const to = `${path}-saved`;
    const salvaged: Salvaged = await salvageJournal(path, to, NOW);
    assert.deepEqual(
      salvaged.lost.map(({ first, last }) => [first, last]),
      lost,
    );
    assert.deepEqual(
      salvaged.lost.flatMap((each) => each.places),
      places,
    );
    assert.deepEqual(
      lostFrom(to).map(({ first, last }) => [first, last]),
      lost,
    );
    assert.deepEqual(
      salvaged.unread.map(({ file, from }) => `${file} ${from}`),
      unread,
    );
    assert.equal(salvaged.next, next);
    const keptIds = salvaged.kept.flatMap(({ first, last }) =>
      Array.from({ length: last - first + 1 }, (_, at) => first + at),
    );
    assert.deepEqual([1, ...keptIds], ids);
    for (const [at, name] of names.entries()) {
      assert.ok(readFileSync(join(dirname(path), name)).equals(before[at] ?? Buffer.alloc(0)), `${name} is as it was`);
    }
    await holdsOnly(damaged, { to, ids, next });
  });
}

test('no id is given again that an account was told of', LIMIT, async (t) => {
  const damaged = await aJournalWith(t, [['two']]);
  const database = new DatabaseSync(damaged.path);
  database.exec('UPDATE account SET delivered = 40 WHERE id = 2');
  database.close();
  const to = `${damaged.path}-saved`;
  const { lost, next } = await salvageJournal(damaged.path, to, NOW);
  assert.deepEqual(lost, [{ first: 4, last: 40, places: [] }]);
  await holdsOnly(damaged, { to, ids: [1, 2, 3], next });
  assert.equal(next, 41);
});

test('verify says which messages are missing, and not those that are known to be lost', LIMIT, async (t) => {
  const damaged = await aJournalWith(t, SEGMENTS);
  damageFrame(damaged, 'three');
  const to = `${damaged.path}-saved`;
  await salvageJournal(damaged.path, to, NOW);
  const database = new DatabaseSync(to);
  database.exec('PRAGMA foreign_keys = OFF');
  for (const table of ['recipient', 'talk', 'resend'])
    database.exec(`DELETE FROM ${table} WHERE message IN (7, 8, 10)`);
  database.exec('DELETE FROM message WHERE id IN (7, 8, 10)');
  database.close();
  const [problem] = await verifyJournal(to);
  assert.equal(problem, 'Messages are missing: there are 6, and the last one is 11, without 7 to 8, 10');
});
