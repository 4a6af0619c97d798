import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { aMessage } from '../../test/contracts/journal.ts';
import { aDirectory } from '../../test/kit/directory.ts';
import type { Appended, NewMessage } from '../core/journal.ts';
import { Appends } from './appends.ts';
import { openForWriting } from './database.ts';
import { Log } from './log.ts';
import { Resends } from './resends.ts';

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
