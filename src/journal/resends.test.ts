import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { aMessage } from '../../test/contracts/journal.ts';
import { aDirectory } from '../../test/kit/directory.ts';
import { aHeldJournal, copyAsKilled } from '../../test/kit/held-journal.ts';
import type { Appended, NewMessage } from '../core/journal.ts';
import { Appends } from './appends.ts';
import { openForWriting } from './database.ts';
import { Log } from './log.ts';
import { Resends } from './resends.ts';
import { openSqliteJournal } from './sqlite.ts';

const LIMIT = { timeout: 60_000 };

/** With nothing that puts messages into the database. */
async function someAppends(t: TestContext, path: string) {
  const log = await Log.open({ path, identity: 'a journal', head: 0 });
  const resends = new Resends(path);
  t.after(() => {
    resends.close();
    return log.close();
  });
  const nothing = () => {};
  const events = { onWritten: nothing, onFailed: nothing, onFull: nothing, onEmpty: nothing };
  const appends = new Appends({ log, resends, head: 0, gate: () => 'open', ...events });
  return (message: NewMessage) => new Promise<Appended>((resolve) => appends.add(message, resolve));
}

test('a key that cannot be looked up is refused at once, and then stored once', LIMIT, async (t) => {
  const path = join(aDirectory(t), 'journal');
  const other = openForWriting(path, { isForLong: false });
  t.after(() => other.close());
  // Only outside of WAL mode can a test hold a reader up.
  other.exec('PRAGMA journal_mode = DELETE');
  const append = await someAppends(t, path);
  const message = aMessage({ resendKey: 'k' });
  other.exec('BEGIN EXCLUSIVE');
  // With the second that the workers may wait these would take longer than a test may.
  const refused = await Promise.all(Array.from({ length: 100 }, () => append(message)));
  const reason = 'its resend key cannot be looked up: another process holds it';
  for (const each of refused) assert.deepEqual(each, { result: 'failed', reason });
  other.exec('ROLLBACK');
  assert.deepEqual(await append(message), { result: 'new', id: 1 });
  assert.deepEqual(await append(message), { result: 'same', id: 1, atMs: message.atMs });
});

test('a key is looked up while a server writes its database', LIMIT, async (t) => {
  const path = join(aDirectory(t), 'journal');
  const other = openForWriting(path);
  t.after(() => other.close());
  const append = await someAppends(t, path);
  other.exec('BEGIN IMMEDIATE; UPDATE meta SET start = start + 1');
  assert.deepEqual(await append(aMessage({ resendKey: 'k' })), { result: 'new', id: 1 });
});

test('who sends with more keys than are kept waits for the database, and no key is forgotten', LIMIT, async (t) => {
  const { journal, path, letGo } = await aHeldJournal(t, { isHeld: true, maxRecent: 3 });
  const append = (n: number) =>
    new Promise<Appended>((resolve) => journal.append(aMessage({ text: `${n}`, resendKey: `k${n}` }), resolve));
  const first = await Promise.all([1, 2, 3].map(append));
  assert.deepEqual(
    first,
    [1, 2, 3].map((id) => ({ result: 'new', id })),
  );
  let isAnswered = false;
  const fourth = append(4).finally(() => (isAnswered = true));
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
  assert.equal(isAnswered, false);
  // A server that finds more keys in the log than it keeps lets the database have them first.
  const killed = join(aDirectory(t), 'journal');
  copyAsKilled(path, killed);
  const { journal: next, everything } = await openSqliteJournal({ path: killed, maxRecent: 2 });
  t.after(() => next.close());
  assert.equal(everything.head, 3);
  const again = [1, 2, 3].map(
    (n) => new Promise((resolve) => next.append(aMessage({ text: `${n}`, resendKey: `k${n}` }), resolve)),
  );
  const { atMs } = aMessage();
  assert.deepEqual(
    await Promise.all(again),
    [1, 2, 3].map((id) => ({ result: 'same', id, atMs })),
  );
  letGo();
  assert.deepEqual(await fourth, { result: 'new', id: 4 });
});
