import assert from 'node:assert/strict';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { aMessage, append } from '../../test/contracts/journal.ts';
import { aDirectory } from '../../test/kit/directory.ts';
import { aHeldJournal } from '../../test/kit/held-journal.ts';
import { openSqliteJournal } from './sqlite.ts';

const LIMIT = { timeout: 30_000 };

/** From another thread nothing can be written any more. */
function breakDisk(t: TestContext): void {
  const write = t.mock.method(fs, 'write', (...given: unknown[]) => {
    const done = given.at(-1);
    if (typeof done === 'function') setTimeout(() => done(new Error('the disk fails'), 0));
  });
  syncBuiltinESMExports();
  t.after(() => {
    write.mock.restore();
    syncBuiltinESMExports();
  });
}

test('a journal whose last write fails closes all the same', LIMIT, async (t) => {
  const { journal } = await openSqliteJournal({ path: join(aDirectory(t), 'journal') });
  breakDisk(t);
  const closed = journal.close();
  await setImmediate();
  // So much at once is written from another thread: it is under way when all that was asked before has been answered.
  const late = append(journal, aMessage({ text: 'x'.repeat(1_048_576) }));
  await closed;
  assert.deepEqual(await late, { result: 'failed', reason: 'the disk fails' });
});

test('a journal that closes lets those go who wait for what the database will not have in time', LIMIT, async (t) => {
  const { journal, hold } = await aHeldJournal(t);
  const reader = { member: 2, since: 0, limit: 10, maxBytes: 1_000 };
  await append(journal, aMessage({ text: 'in time' }));
  await journal.history(reader);
  hold();
  await append(journal, aMessage({ text: 'too late' }));
  const inTime = journal.feed({ ...reader, after: 0, upTo: 2 });
  const late = [
    journal.feed({ ...reader, after: 1, upTo: 2 }),
    journal.history(reader),
    journal.search({ member: 2, since: 0, words: 'late', limit: 1 }),
  ].map((asked) => assert.rejects(asked, /: the journal is closed$/));
  await journal.close();
  assert.equal((await inTime).messages.length, 1);
  await Promise.all(late);
});
