// A journal whose server was killed while its database did not have all that its log has, and what becomes of it at the next
// starts.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import { identityOf } from '../../src/journal/database.ts';
import { seedOf } from '../../src/journal/frame.ts';
import { framesOf, readSegment } from '../../src/journal/log-reader.ts';
import { openSqliteJournal } from '../../src/journal/sqlite.ts';
import { lostFrom, verifyJournal } from '../../src/journal/verify.ts';
import { aMessage, anAccount, append, record } from '../contracts/journal.ts';
import { aDirectory } from './directory.ts';
import { aHeldJournal, copyAsKilled } from './held-journal.ts';

export const ALL = { member: 2, since: 0, limit: 1_000, maxBytes: 1e6 };
export const TEXT = 'word '.repeat(200);

/** Of a server that was killed: message 1 is in the database, 2 and 3 are in the log alone. */
export async function aKilledJournal(t: TestContext): Promise<{ path: string; log: string }> {
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
export async function opened(path: string): Promise<{ head: number; doubts: readonly string[] }> {
  const doubts: string[] = [];
  const { journal, everything } = await openSqliteJournal({ path, onDoubt: (words) => doubts.push(words) });
  await journal.close();
  return { head: everything.head, doubts };
}

export const goesOn = (next: number) =>
  `The journal goes on as another one, with message ${next}: ids that clients know count no longer`;

export function identityAt(path: string): string {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return identityOf(database);
  } finally {
    database.close();
  }
}

/** Opened with these doubts it becomes another one, once, in which all that was not lost is found under its id. */
export async function becomesAnother(
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

/** Where the frames end, one for each message. */
export function endsIn(path: string): readonly number[] {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const seed = seedOf(identityOf(database));
    return [...framesOf(readSegment(path, { segment: 0 }), seed)].map(({ end }) => end);
  } finally {
    database.close();
  }
}
