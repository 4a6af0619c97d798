import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { aMessage, anAccount, append, record } from '../../test/contracts/journal.ts';
import { journalContract } from '../../test/contracts/journal-contract.ts';
import { aDirectory } from '../../test/kit/directory.ts';
import { aFrame } from '../../test/kit/frames.ts';
import { Random, seedOf } from '../../test/kit/random.ts';
import type { Appended } from '../core/journal.ts';
import { backupJournal } from './backup.ts';
import { identityOf, numberOf } from './database.ts';
import { Log, type NewFrame } from './log.ts';
import { MIGRATIONS } from './migrations/list.ts';
import { openSqliteJournal } from './sqlite.ts';
import { verifyJournal } from './verify.ts';
import type { PackedMessage } from './wire.ts';

const LIMIT = { timeout: 60_000 };
const ALL = { member: 2, since: 0, limit: 100_000, maxBytes: 1e9 };

async function open(t: TestContext, path = join(aDirectory(t), 'journal')) {
  const opened = await openSqliteJournal({ path });
  t.after(() => opened.journal.close());
  return { ...opened, path };
}

journalContract(async (t) => {
  const { journal, everything, path } = await open(t);
  return {
    journal,
    everything,
    reopen: async () => {
      await journal.close();
      return open(t, path);
    },
  };
});

test('a file that cannot be a journal is one line', LIMIT, async (t) => {
  const path = join(aDirectory(t), 'journal');
  const says = (words: string) =>
    assert.rejects(openSqliteJournal({ path }), { message: `Cannot open the journal ${path}: ${words}` });
  writeFileSync(path, 'no database, but long enough for one. '.repeat(100));
  await says('it is damaged, or something else');
  rmSync(path);
  const other = new DatabaseSync(path);
  other.exec('CREATE TABLE a (b)');
  await says('it is a database of something else');
  other.exec('DROP TABLE a; PRAGMA user_version = 999; PRAGMA application_id = 0x50727479');
  other.close();
  await says(`a newer Partyline wrote it (schema 999, and this one knows ${MIGRATIONS.length})`);
});

test('its files are the user’s own', LIMIT, async (t) => {
  const { journal, path } = await open(t);
  await append(journal, aMessage());
  for (const end of ['', '-wal', '-shm', '-log-0']) assert.equal(statSync(path + end).mode & 0o777, 0o600, end);
});

test('one entry that cannot be does not take its neighbours along', LIMIT, async (t) => {
  const { journal, path } = await open(t);
  const answers = await Promise.all([
    append(journal, aMessage()),
    append(journal, aMessage({ cast: 'multicast', recipients: [2, 2] })),
    append(journal, aMessage({ text: 'x'.repeat(1_048_577) })),
    record(journal, { type: 'account-added', account: anAccount(1, 'Bob') }),
    append(journal, aMessage({ text: 'after' })),
  ]);
  assert.deepEqual(
    [answers[0], answers[1].result, answers[2].result, answers[3], answers[4]],
    [{ result: 'new', id: 1 }, 'failed', 'failed', undefined, { result: 'new', id: 2 }],
  );
  assert.deepEqual(journal.health, { state: 'ok' });
  assert.deepEqual(await verifyJournal(path), [
    'Message 1 has a recipient whom there is not',
    'Message 2 has a recipient whom there is not',
  ]);
});

test('when the writer dies changes are refused, and what the log has is there at the next start', LIMIT, async (t) => {
  const workers: Worker[] = [];
  const notice = (worker: Worker) => void workers.push(worker);
  process.on('worker', notice);
  const { journal, path } = await open(t);
  process.off('worker', notice);
  const [writer, reader] = workers;
  const recorded = record(journal, { type: 'delivered', account: 1, upTo: 0 });
  assert.deepEqual(await append(journal, aMessage()), { result: 'new', id: 1 });
  await writer?.terminate();
  assert.equal(typeof (await recorded)?.failed, 'string');
  const reason = 'its writer is gone: it ended';
  assert.deepEqual(await append(journal, aMessage()), { result: 'failed', reason });
  assert.deepEqual(await record(journal), { failed: reason });
  assert.deepEqual(journal.health, { state: 'failing', reason });
  const left = reader?.terminate();
  await assert.rejects(journal.history(ALL), /its reader is gone/);
  await left;
  await assert.rejects(journal.history(ALL), /its reader is gone/);
  await journal.close();
  const again = await open(t, path);
  assert.equal((await again.journal.history(ALL)).messages.length, 1);
});

test('what only the log has is found at the next start, up to where it is whole', LIMIT, async (t) => {
  const path = join(aDirectory(t), 'journal');
  const first = await openSqliteJournal({ path });
  await record(
    first.journal,
    { type: 'account-added', account: anAccount(1, 'Bob') },
    { type: 'account-added', account: anAccount(2, 'Eve') },
  );
  await append(first.journal, aMessage({ text: 'in the database' }));
  await first.journal.close();
  const log = await Log.open({ path, identity: identityAt(path), head: 1 });
  for (const [first, texts] of [
    [2, ['two', 'three']],
    [4, ['four']],
    [5, ['five']],
  ] as const) {
    const messages = texts.map((text): PackedMessage => [1_000, 1, 'Bob', 'singlecast', ['Eve'], text, [2]]);
    await written(log, aFrame(first, messages));
  }
  await log.close();
  const segment = `${path}-log-0`;
  const bytes = readFileSync(segment);
  bytes[bytes.indexOf('five')] = 0x46;
  writeFileSync(segment, bytes);
  assert.deepEqual(await messagesInBackupOf(path, t), 4);
  const { journal, everything } = await open(t, path);
  assert.equal(everything.head, 4);
  const { messages } = await journal.history(ALL);
  assert.deepEqual(
    messages.map(({ text }) => text),
    ['in the database', 'two', 'three', 'four'],
  );
  assert.deepEqual(await append(journal, aMessage()), { result: 'new', id: 5 });
});

test('a segment that cannot be read holds everyone up, and no message is taken for another', LIMIT, async (t) => {
  const { journal, path } = await open(t);
  const texts = async () => (await journal.history(ALL)).messages.map(({ id, text }) => `${id} ${text}`);
  await append(journal, aMessage({ text: 'one' }));
  assert.deepEqual(await texts(), ['1 one']);
  renameSync(`${path}-log-0`, `${path}-hidden`);
  assert.deepEqual(await append(journal, aMessage({ text: 'two' })), { result: 'new', id: 2 });
  assert.deepEqual(await texts(), ['1 one']);
  assert.equal(journal.health.state, 'failing');
  assert.equal((await append(journal, aMessage({ text: 'refused' }))).result, 'failed');
  renameSync(`${path}-hidden`, `${path}-log-0`);
  assert.deepEqual(await append(journal, aMessage({ text: 'three' })), { result: 'new', id: 3 });
  assert.deepEqual(await texts(), ['1 one', '2 two', '3 three']);
  assert.deepEqual(journal.health, { state: 'ok' });
});

test('a flood that is faster than a segment can be made loses nothing', LIMIT, async (t) => {
  const { journal, path } = await open(t);
  // JSON takes six bytes for each.
  const filler = '\u0001'.repeat(52_000);
  const count = 320;
  const appended: Promise<Appended>[] = [];
  for (let at = 1; at <= count; at++) {
    appended.push(append(journal, aMessage({ text: `${at} ${filler}` })));
    // A turn brings a third of a segment.
    if (at % 16 === 0) await appended.at(-1);
  }
  for (const [at, { result }] of (await Promise.all(appended)).entries())
    assert.equal(result, 'new', `message ${at + 1}`);
  await journal.close();
  const again = await open(t, path);
  const { messages } = await again.journal.history(ALL);
  assert.deepEqual(
    messages.map(({ id, text }) => [id, Number(text.split(' ', 1)[0])]),
    Array.from({ length: count }, (_, at) => [at + 1, at + 1]),
  );
});

test('messages of one turn to very many groups are more than one frame', LIMIT, async (t) => {
  const { journal } = await open(t);
  const to = Array.from({ length: 1_000 }, (_, at) => `#${'x'.repeat(55)}${at}`);
  // 18 MB of names in the place of 8 MiB that a frame may have.
  const all = await Promise.all(
    Array.from({ length: 300 }, () => append(journal, aMessage({ cast: 'multicast', to, recipients: [] }))),
  );
  for (const [at, appended] of all.entries()) assert.deepEqual(appended, { result: 'new', id: at + 1 });
});

test('a log without its database is not passed over', LIMIT, async (t) => {
  const { journal, path } = await open(t);
  await append(journal, aMessage());
  await journal.close();
  rmSync(path);
  await assert.rejects(openSqliteJournal({ path }), /it is not there, and its log is, .*-log-0: move both or neither$/);
});

test('a log that does not follow the database is refused', LIMIT, async (t) => {
  const path = join(aDirectory(t), 'journal');
  await (await openSqliteJournal({ path })).journal.close();
  const log = await Log.open({ path, identity: identityAt(path), head: 0 });
  await written(log, aFrame(7, [[1_000, 1, 'Bob', 'broadcast', ['all'], 'late', []]]));
  await log.close();
  const words = 'its log goes on with message 7, and everything before it ends with 0';
  const help =
    'put back what was moved, the database or a file of its log; else `partyline backup --salvage FILE` keeps what is intact, `partyline restore` puts that or a copy in its place';
  await assert.rejects(openSqliteJournal({ path }), {
    message: `Cannot open the journal ${path}: ${words} (${help})`,
  });
});

function written(log: Log, frame: NewFrame): Promise<void> {
  return new Promise((resolve, reject) => {
    log.write(frame, (error) => (error instanceof Error ? reject(error) : resolve()));
  });
}

function identityAt(path: string): string {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return identityOf(database);
  } finally {
    database.close();
  }
}

/** How many messages a backup of it has. */
async function messagesInBackupOf(path: string, t: TestContext): Promise<number> {
  const to = join(aDirectory(t), 'copy');
  await backupJournal(path, to);
  const database = new DatabaseSync(to, { readOnly: true });
  try {
    return numberOf(database, 'SELECT count(*) FROM message');
  } finally {
    database.close();
  }
}

const WRITER = join(import.meta.dirname, '../../test/kit/journal-writer.ts');
const KILLS = 5;
/** Of one round at most: all of them are read again. */
const WRITTEN = ALL.limit / KILLS;
/** The writer writes as fast as the disk takes it, and the disk may be everybody's: what takes longer hangs. */
const KILLS_LIMIT = { timeout: 600_000 };

test('what was answered before a kill -9 is there, without a gap', KILLS_LIMIT, async (t) => {
  const random = new Random(seedOf(t));
  const path = join(aDirectory(t), 'journal');
  let known = 0;
  for (let round = 0; round < KILLS; round++) {
    const child = fork(WRITER, [path, String(WRITTEN)], { stdio: 'inherit' });
    t.after(() => void child.kill('SIGKILL'));
    const enough = known + 1 + random.int(2_000);
    child.on('message', (id) => {
      known = Math.max(known, Number(id));
      if (known >= enough) child.kill('SIGKILL');
    });
    await once(child, 'exit');
    assert.equal(child.signalCode, 'SIGKILL');
    const { journal, everything } = await openSqliteJournal({ path });
    const { messages } = await journal.history(ALL);
    await journal.close();
    assert.ok(everything.head >= known, `${everything.head} messages, and ${known} were answered`);
    assert.deepEqual(
      messages.map(({ id }) => id),
      Array.from({ length: everything.head }, (_, at) => at + 1),
    );
    known = everything.head;
  }
  assert.deepEqual(await verifyJournal(path), []);
});
