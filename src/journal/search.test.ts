import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import * as fc from 'fast-check';
import { aMessage, append, aName, BOB, EVE, GUEST, MAX, toAll } from '../../test/contracts/journal.ts';
import { aDirectory } from '../../test/kit/directory.ts';
import { seedOf } from '../../test/kit/random.ts';
import type { NewMessage } from '../core/journal.ts';
import { Appender } from './append.ts';
import { openForWriting } from './database.ts';
import { WordIndexer } from './index-words.ts';
import { MemoryJournal } from './memory.ts';
import { FIRST } from './migrations/0001-first.ts';
import { LOG } from './migrations/0002-log.ts';
import { Reader } from './reader.ts';
import { Renewal } from './renewal.ts';

const NAMES = new Map(
  [BOB, EVE, MAX, GUEST].map((member, at) => [member, aName(['Bob', 'Eve', 'Max', 'Guest'][at] ?? '').name]),
);
const PEOPLE = [...NAMES.keys()];

/** Messages of a few words each, to all and to some. */
function someMessages(seed: number, count: number): NewMessage[] {
  const text = fc.array(fc.constantFrom('bat', 'ball', 'tea', 'disk', 'full'), { minLength: 1, maxLength: 4 });
  const member = fc.constantFrom(...PEOPLE);
  const others = fc.uniqueArray(member, { minLength: 1, maxLength: 3 });
  const said = fc.record({ kind: fc.constantFrom('all', 'one', 'group'), text, from: member, others });
  const made = ({ kind, text, from, others }: (typeof samples)[number]): NewMessage => {
    const message = { text: text.join(' '), from, fromName: NAMES.get(from) ?? aName('Bob').name };
    const [one = BOB] = others;
    if (kind === 'all') return { ...toAll(message.text, from), fromName: message.fromName };
    if (kind === 'one') return aMessage({ ...message, recipients: [one], to: [NAMES.get(one) ?? ''] });
    const recipients = others.filter((other) => other !== from);
    return aMessage({ ...message, cast: 'multicast', to: ['#ops'], recipients });
  };
  const samples = fc.sample(said, { seed, numRuns: count });
  return samples.map(made);
}

function pack({ atMs, from, fromName, cast, to, text, recipients }: NewMessage) {
  return [atMs, from, fromName, cast, to, text, recipients] as const;
}

function aDatabase(t: TestContext): { path: string; database: DatabaseSync } {
  const path = join(aDirectory(t), 'journal');
  const database = openForWriting(path, { isForLong: false });
  t.after(() => database.close());
  return { path, database };
}

const QUERIES = ['bat', 'ba*', 'tea disk', 'b* f*', 'none'];

test('a search that goes on where it stopped finds what it would have found at once', async (t) => {
  const seed = seedOf(t);
  const { path, database } = aDatabase(t);
  database.exec('UPDATE meta SET slice = 7');
  const journal = new MemoryJournal();
  const appender = new Appender(database);
  for (const [at, message] of someMessages(seed, 60).entries()) {
    await append(journal, message);
    appender.append(pack(message), at + 1);
  }
  const indexer = new WordIndexer(database);
  while (indexer.step(58));
  while (indexer.step(60));
  let nowMs = 0;
  let isSlow = false;
  const reader = new Reader(path, () => (isSlow ? (nowMs += 1_000) : nowMs));
  t.after(() => reader.close());
  let stops = 0;
  for (const slow of [false, true]) {
    isSlow = slow;
    for (const member of PEOPLE) {
      for (const words of QUERIES) {
        for (const limit of [1, 3, 100]) {
          const query = { member, since: 9, words, limit };
          for (let before: number | undefined = 61; before !== undefined;) {
            const wanted = await journal.search({ ...query, before });
            const page = reader.search({ ...query, before });
            assert.deepEqual(page.messages, wanted.messages.slice(wanted.messages.length - page.messages.length));
            if (page.before === undefined) {
              assert.deepEqual(page, wanted);
              before = page.isMore ? page.messages[0]?.id : undefined;
            } else {
              stops += 1;
              assert.ok(slow && page.isMore && page.before < before);
              const left = wanted.messages.slice(0, wanted.messages.length - page.messages.length);
              assert.ok(
                left.every(({ id }) => id < (page.before ?? 0)),
                'nothing that was not looked at is left out',
              );
              before = page.before;
            }
          }
        }
      }
    }
  }
  assert.ok(stops > 0);
});

/** As an older program left it: with one index of words, and nothing of who heard what. */
function makeOld(database: DatabaseSync, messages: readonly NewMessage[]): void {
  const insert = database.prepare('INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?)');
  const recipient = database.prepare('INSERT INTO recipient VALUES (?, ?)');
  for (const [at, { atMs, from, fromName, cast, to, text, recipients }] of messages.entries()) {
    insert.run(at + 1, atMs, from, fromName, cast, JSON.stringify(to), text);
    for (const member of recipients) recipient.run(member, at + 1);
    if (to[0] === '#ops') database.prepare("INSERT INTO talk VALUES (0, '#ops', ?)").run(at + 1);
  }
  database.exec(`
    INSERT INTO message_text (rowid, text) SELECT id, text FROM message WHERE id <= 4090;
    UPDATE meta SET words_up_to = 4090;
  `);
}

test('what an older database has is found while it is renewed, and after', { timeout: 60_000 }, async (t) => {
  const seed = seedOf(t);
  const path = join(aDirectory(t), 'journal');
  const { DatabaseSync } = await import('node:sqlite');
  const old = new DatabaseSync(path);
  old.exec(`PRAGMA journal_mode = WAL; PRAGMA application_id = 0x50727479; PRAGMA user_version = 2; ${FIRST} ${LOG}`);
  for (const member of PEOPLE.filter((member) => member > 0)) {
    old
      .prepare("INSERT INTO account VALUES (?, ?, ?, 'member', 'person', 5, 0, NULL, NULL, 0, NULL)")
      .run(member, `${NAMES.get(member)}`, `${NAMES.get(member)}`.toLowerCase());
  }
  const messages = someMessages(seed, 4_200);
  old.exec('BEGIN');
  makeOld(old, messages.slice(0, 4_100));
  old.exec('COMMIT');
  old.close();
  const journal = new MemoryJournal();
  for (const message of messages) await append(journal, message);
  const database = openForWriting(path, { isForLong: false });
  t.after(() => database.close());
  const words = new WordIndexer(database);
  const renewal = new Renewal(database, words);
  const reader = new Reader(path, () => 0);
  t.after(() => reader.close());
  const appender = new Appender(database);
  // A disk that is full takes a part back, and with it the tables that the part had made: it is done again.
  database.exec(`
    CREATE TEMP TRIGGER full BEFORE UPDATE OF old_words_up_to ON meta BEGIN SELECT raise(ROLLBACK, 'full'); END;
  `);
  let parts = 0;
  assert.throws(() => {
    while (renewal.step()) parts++;
  }, /full/);
  assert.ok(parts < 20, 'the words were not come to');
  database.exec('DROP TRIGGER full');
  let steps = parts;
  for (let isMore = true, head = 4_100; isMore; steps++) {
    isMore = renewal.step();
    for (const member of PEOPLE.filter((member) => member > 0)) {
      for (const query of [
        { words: 'ba* tea', limit: 5_000 },
        { words: 'full', limit: 20, before: 4_095 },
      ]) {
        const found = reader.search({ member, since: 0, ...query });
        if (steps === parts && head === 4_100) assert.ok(found.messages.every(({ id }) => id <= 4_090));
        else
          assert.deepEqual(
            found.messages.map(({ id }) => id),
            await idsIn(journal, { member, ...query, head }),
          );
      }
      const heard = { member, since: 0, with: '#ops', limit: 5_000, maxBytes: 1e9 };
      const wanted = (await journal.history(heard)).messages.filter(({ id }) => id <= head);
      assert.deepEqual(reader.history(heard).messages, wanted, `after ${steps} steps`);
    }
    while (words.step(head));
    if (head < messages.length) {
      for (const message of messages.slice(head, head + 25)) appender.append(pack(message), ++head);
      while (words.step(head));
    }
  }
  assert.ok(steps >= 5, `${steps} steps`);
  assert.deepEqual(database.prepare("SELECT name FROM sqlite_schema WHERE name = 'message_text'").all(), []);
});

async function idsIn(
  journal: MemoryJournal,
  {
    member,
    words,
    limit,
    before = Number.MAX_SAFE_INTEGER,
    head,
  }: { member: number; words: string; limit: number; before?: number; head: number },
): Promise<number[]> {
  const { messages } = await journal.search({ member, since: 0, words, limit, before: Math.min(before, head + 1) });
  return messages.map(({ id }) => id);
}
