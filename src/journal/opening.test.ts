import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { aMessage, anAccount, append, record } from '../../test/contracts/journal.ts';
import { aDirectory } from '../../test/kit/directory.ts';
import { aFrame, oldFrame } from '../../test/kit/frames.ts';
import { aHeldJournal, copyAsKilled } from '../../test/kit/held-journal.ts';
import { leaveOut } from '../../test/kit/needs.ts';
import type { Journal } from '../core/journal.ts';
import { backupJournal } from './backup.ts';
import { identityOf, numberOf } from './database.ts';
import { glanceAtJournal } from './glance.ts';
import { seedOf } from './frame.ts';
import { Log } from './log.ts';
import { openSqliteJournal } from './sqlite.ts';
import { verifyJournal } from './verify.ts';
import type { PackedMessage } from './wire.ts';

const LIMIT = { timeout: 60_000 };
const DESCRIPTORS = '/proc/self/fd';

/** What this process has open below a directory. */
function openBelow(directory: string): string[] {
  return readdirSync(DESCRIPTORS).flatMap((number) => {
    try {
      const path = readlinkSync(join(DESCRIPTORS, number));
      return path.startsWith(directory) ? [path] : [];
    } catch {
      return []; // the one that the list itself was read with
    }
  });
}

test('a journal that cannot be opened leaves no file open', LIMIT, async (t) => {
  if (!existsSync(DESCRIPTORS)) return leaveOut(t, 'this machine does not say what a process has open');
  const directory = aDirectory(t);
  let count = 0;
  // The second one is the reader.
  const endReader = (worker: Worker) => {
    count += 1;
    if (count !== 2) return;
    // Where this thread is held up the reader has opened its file by now, and said so: that is not to be heard.
    worker.removeAllListeners('message');
    void worker.terminate();
  };
  process.on('worker', endReader);
  t.after(() => process.off('worker', endReader));
  await assert.rejects(openSqliteJournal({ path: join(directory, 'journal') }), /its reader is gone: it ended$/);
  assert.deepEqual(openBelow(directory), []);
});

const ALL = { member: 2, since: 0, limit: 1_000, maxBytes: 1e6 };

async function textsIn(journal: Journal): Promise<string[]> {
  return (await journal.history(ALL)).messages.map(({ id, text }) => `${id} ${text}`);
}

test('a journal opens before its database has what the log holds', LIMIT, async (t) => {
  const killed = await aHeldJournal(t);
  await append(killed.journal, aMessage({ text: 'one' }));
  await killed.journal.history(ALL);
  killed.hold();
  for (const key of ['two', 'three']) await append(killed.journal, aMessage({ text: key, resendKey: key }));
  const path = `${killed.path}-copy`;
  copyAsKilled(killed.path, path);
  const { journal, everything, letGo } = await aHeldJournal(t, { path, isHeld: true });
  assert.equal(everything.head, 3);
  const again = aMessage({ text: 'two', resendKey: 'two', atMs: 9_000 });
  assert.deepEqual(await append(journal, again), { result: 'same', id: 2, atMs: 1_000 });
  assert.deepEqual(await append(journal, aMessage({ text: 'four' })), { result: 'new', id: 4 });
  const database = new DatabaseSync(path, { readOnly: true });
  t.after(() => database.close());
  assert.equal(numberOf(database, 'SELECT max(id) FROM message'), 1);
  letGo();
  assert.deepEqual(await textsIn(journal), ['1 one', '2 two', '3 three', '4 four']);
  assert.deepEqual(await append(journal, again), { result: 'same', id: 2, atMs: 1_000 });
});

/** A closed journal whose log has these messages, a frame for each; of the first one the database has half. */
async function aJournalWithLog(t: TestContext, texts: readonly string[]): Promise<string> {
  const path = join(aDirectory(t), 'journal');
  const { journal } = await openSqliteJournal({ path });
  await append(journal, aMessage({ text: 'one' }));
  await journal.close();
  const log = await Log.open({ path, identity: identityAt(path), head: 0 });
  let first = 1;
  for (const text of texts) {
    const messages = (first === 1 ? ['one', text] : [text]).map((each): PackedMessage => {
      return [1_000, 1, 'Bob', 'singlecast', ['Eve'], each, [2]];
    });
    assert.equal(await new Promise((resolve) => log.write(aFrame(first, messages), resolve)), null);
    first += messages.length;
  }
  await log.close();
  return path;
}

/** Where the first frame has its length. */
const LENGTH = 8;

function damage(path: string, what: string | number): void {
  const bytes = readFileSync(`${path}-log-0`);
  const at = typeof what === 'number' ? what : bytes.indexOf(what);
  bytes.fill(0xff, at, at + 4);
  writeFileSync(`${path}-log-0`, bytes);
}

test('a frame of which the database has a part is gone on with', LIMIT, async (t) => {
  const path = await aJournalWithLog(t, ['two', 'three']);
  const { journal } = await openSqliteJournal({ path });
  t.after(() => journal.close());
  assert.deepEqual(await textsIn(journal), ['1 one', '2 two', '3 three']);
});

/** Writes the beginning of the first segment anew, as an older program would have, of these texts to everyone. */
function writeOldLog(path: string, { seed, texts }: { seed: number; texts: readonly string[] }): void {
  const frames = texts.map((text, at) => {
    const message = [1_000, 1, 'Bob', 'broadcast', ['all'], text, []] as const;
    return oldFrame(at + 1, [at === 1 ? [...message, [`key of ${text}`, 'digest']] : message], seed);
  });
  writeFileSync(`${path}-log-0`, Buffer.concat([...frames, Buffer.alloc(1_000)]));
}

test('a log that an older program left is read, keys and all, and gone on with', LIMIT, async (t) => {
  const path = join(aDirectory(t), 'journal');
  const { journal: empty, everything: before } = await openSqliteJournal({ path });
  await record(
    empty,
    { type: 'account-added', account: anAccount(1, 'Bob') },
    { type: 'account-added', account: anAccount(2, 'Eve') },
  );
  await empty.close();
  writeOldLog(path, { seed: seedOf(identityAt(path)), texts: ['one', 'two "quoted"', 'three\ud83d'] });
  const { journal, everything } = await openSqliteJournal({ path });
  assert.deepEqual([everything.head, everything.journalId], [3, before.journalId]);
  const again = aMessage({ from: 1, text: 'another', resendKey: 'key of two "quoted"' });
  assert.deepEqual(await append(journal, again), { result: 'other', id: 2 });
  assert.deepEqual(await append(journal, aMessage({ text: 'four' })), { result: 'new', id: 4 });
  assert.deepEqual(await textsIn(journal), ['1 one', '2 two "quoted"', '3 three\ufffd', '4 four']);
  await journal.close();
  assert.deepEqual(await verifyJournal(path), []);
});

test(
  'a log of another journal is refused in the form of an older program too, unless it is cut short',
  LIMIT,
  async (t) => {
    const path = join(aDirectory(t), 'journal');
    await (await openSqliteJournal({ path })).journal.close();
    writeOldLog(path, { seed: seedOf('of another one'), texts: ['precious'] });
    await assert.rejects(openSqliteJournal({ path }), /-log-0 is of another journal/);
    const torn = readFileSync(`${path}-log-0`).fill(0, 60);
    writeFileSync(`${path}-log-0`, torn);
    const { journal } = await openSqliteJournal({ path });
    assert.deepEqual(await append(journal, aMessage()), { result: 'new', id: 1 });
    await journal.close();
  },
);

function identityAt(path: string): string {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return identityOf(database);
  } finally {
    database.close();
  }
}

for (const [where, what, last, next] of [
  ['in the middle', 'three', 2, 4],
  ['at its beginning', 'two', 1, 3],
  ['in the length of its first frame', LENGTH, 1, 3],
] as const) {
  test(`a log that is damaged ${where} is refused: what stands behind it was acknowledged`, LIMIT, async (t) => {
    const path = await aJournalWithLog(t, ['two', 'three', 'four']);
    damage(path, what);
    const words = `its log is damaged: all up to message ${last} is there, and message ${next} stands behind the damage`;
    const help =
      '`partyline verify` says what else is wrong, `partyline backup --salvage FILE` keeps what is intact, `partyline restore` puts that or a copy in its place';
    await assert.rejects(openSqliteJournal({ path }), {
      message: `Cannot open the journal ${path}: ${words} (${help})`,
    });
    const to = `${path}-copy`;
    await assert.rejects(backupJournal(path, to), {
      message: `Cannot back up the journal ${path} to ${to}: ${words}`,
    });
    assert.deepEqual(await verifyJournal(path), [`The journal is damaged: ${words}`]);
    assert.equal(glanceAtJournal(path), words);
  });
}

test('a log that is damaged while a server runs stops it from storing more', LIMIT, async (t) => {
  const { journal, path, hold, letGo } = await aHeldJournal(t);
  hold();
  for (const text of ['one', 'two', 'three']) await append(journal, aMessage({ text }));
  damage(path, 'two');
  letGo();
  assert.deepEqual(await textsIn(journal), []);
  const { health } = journal;
  // The writer may have read the first one before.
  assert.match(JSON.stringify(health), /its log does not hold what was written there, from message [12] on/);
  assert.ok(health.state === 'failing');
  const { reason } = health;
  assert.deepEqual(await append(journal, aMessage()), { result: 'failed', reason });
});

/** Closed, with one message. */
async function aJournal(t: TestContext): Promise<string> {
  const path = join(aDirectory(t), 'journal');
  const { journal } = await openSqliteJournal({ path });
  await append(journal, aMessage({ text: 'ours' }));
  await journal.close();
  return path;
}

test('an empty database beside a log is refused as a missing one is, and stays as it is', LIMIT, async (t) => {
  const path = await aJournal(t);
  truncateSync(path);
  const words = `it is empty, and its log is not, ${path}-log-0: put the database there that it belongs to, or move both or neither`;
  await assert.rejects(openSqliteJournal({ path }), { message: `Cannot open the journal ${path}: ${words}` });
  assert.deepEqual(await verifyJournal(path), [`Cannot verify the journal ${path}: ${words}`]);
  assert.equal(readFileSync(path).length, 0);
});

for (const [what, has, first] of [
  ['whose messages go on from elsewhere', 1, 7],
  ['that would go on from here', 1, 2],
  ['that begins as this one does', 1, 1],
  ['beside a database that is new', 0, 1],
] as const) {
  test(`a log of another journal ${what} is refused, and nothing is written over it`, LIMIT, async (t) => {
    const path = has === 0 ? join(aDirectory(t), 'journal') : await aJournal(t);
    if (has === 0) await (await openSqliteJournal({ path })).journal.close();
    rmSync(`${path}-log-0`);
    const log = await Log.open({ path, identity: 'of another one', head: first - 1 });
    const frame = aFrame(first, [[1_000, 1, 'Bob', 'broadcast', ['all'], 'precious', []]]);
    assert.equal(await new Promise((resolve) => log.write(frame, resolve)), null);
    await log.close();
    const file = `${path}-log-0`;
    const before = readFileSync(file);
    const help = 'move it away, or put the database there that it belongs to: both or neither';
    await assert.rejects(openSqliteJournal({ path }), {
      message: `Cannot open the journal ${path}: ${file} is of another journal (${help})`,
    });
    assert.ok(readFileSync(file).equals(before));
    assert.ok(
      (await verifyJournal(path)).includes(
        `${file} is of another journal: move it away, or put its own database there`,
      ),
    );
  });
}

test(
  'a first frame of its own that was cut short is none, then and when much has been said since',
  LIMIT,
  async (t) => {
    const path = join(aDirectory(t), 'journal');
    await (await openSqliteJournal({ path })).journal.close();
    const empty = readFileSync(path);
    const { journal } = await openSqliteJournal({ path });
    await append(journal, aMessage({ text: 'one '.repeat(1_000) }));
    await journal.close();
    // As a power cut leaves it where nothing was before: the beginning is there, and the rest is not.
    const torn = readFileSync(`${path}-log-0`).fill(0, 1_024);
    writeFileSync(path, empty);
    for (const number of [0, 1]) writeFileSync(`${path}-log-${number}`, torn);
    const again = await openSqliteJournal({ path });
    for (const id of [1, 2]) assert.deepEqual(await append(again.journal, aMessage()), { result: 'new', id });
    await again.journal.close();
    assert.ok(!(await verifyJournal(path)).join().includes('another journal'));
    const { everything, journal: last } = await openSqliteJournal({ path });
    await last.close();
    assert.equal(everything.head, 2);
  },
);

test('a directory where a file should be is said in words, with its name', LIMIT, async (t) => {
  const path = await aJournal(t);
  mkdirSync(`${path}-log-9`);
  const words = `${path}-log-9 is a directory, where its log would be: move it away`;
  await assert.rejects(openSqliteJournal({ path }), { message: `Cannot open the journal ${path}: ${words}` });
  assert.deepEqual(await verifyJournal(path), [`Cannot verify the journal ${path}: ${words}`]);
  const directory = aDirectory(t);
  await assert.rejects(openSqliteJournal({ path: directory }), {
    message: `Cannot open the journal ${directory}: it is a directory`,
  });
  assert.deepEqual(await verifyJournal(directory), [`Cannot verify the journal ${directory}: it is a directory`]);
  await assert.rejects(backupJournal(directory, `${path}-copy`), /: the disk fails, or it is a directory$/);
});
