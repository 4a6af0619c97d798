// The file: opening it, its mode, its schema. Used by the workers of a server and by the commands that need none.

import { chmodSync, closeSync, existsSync, openSync, statfsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { wordsFor } from './errors.ts';
import { MIGRATIONS } from './migrations/list.ts';

/** `PRAGMA application_id`: "Prty". Tells a journal from other databases. */
export const APPLICATION_ID = 0x50727479;
/** Only the user's own; SQLite gives -wal and -shm the mode of the file itself. */
const MODE = 0o600;
/** For a moment's lock of another process, such as one that opens the file to verify it. */
export const BUSY_TIMEOUT_MS = 1_000;
/** KiB of pages kept by the writer: the upper levels of every index, so that inserting reads nothing. */
const WRITER_CACHE_KIB = 65_536;
/** SQLite's own. */
const PAGE_BYTES = 4_096;
/** Pages in the -wal before they are moved to the file: fewer make more syncs, more a longer pause. */
const CHECKPOINT_PAGES = 4_000;
/** A -wal is grown ahead where so many times its size is free. */
const ROOM_FOR_WAL = 64;
/** Bytes: a -wal that had to grow while somebody read for long is cut back to this. */
const WAL_KEPT_BYTES = 67_108_864;

/**
 * Makes the file where it is missing and brings its schema up to date. `isForLong`: much will be written. Throws an Error
 * in words.
 */
export function openForWriting(path: string, { isForLong = true } = {}): DatabaseSync {
  return inWords('Cannot open the journal', path, () => {
    closeSync(openSync(path, 'a', MODE));
    chmodSync(path, MODE);
    const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    try {
      database.exec(`
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = FULL;
        PRAGMA cache_size = -${WRITER_CACHE_KIB};
        PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
        PRAGMA journal_size_limit = ${WAL_KEPT_BYTES};
      `);
      migrate(database);
      if (isForLong) growWal(database, path);
    } catch (error) {
      database.close();
      throw error;
    }
    return database;
  });
}

/** Throws an Error in words. `isCurrent`: only with the schema of this program. */
export function openForReading(path: string, { isCurrent = true } = {}): DatabaseSync {
  return inWords('Cannot open the journal', path, () => {
    if (!existsSync(path)) throw new Error('there is no such file');
    const database = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
    try {
      const version = versionOf(database);
      if (isCurrent && version < MIGRATIONS.length) {
        throw new Error(`its schema is ${version}, and ${MIGRATIONS.length} after the next start of the server`);
      }
    } catch (error) {
      database.close();
      throw error;
    }
    return database;
  });
}

function inWords<T>(attempt: string, path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new Error(`${attempt} ${path}: ${wordsFor(error)}`, { cause: error });
  }
}

/** Throws where it is no journal, or one of a newer program. */
function versionOf(database: DatabaseSync): number {
  const version = numberOf(database, 'PRAGMA user_version');
  const isOurs = numberOf(database, 'PRAGMA application_id') === APPLICATION_ID;
  if (!isOurs && (version !== 0 || numberOf(database, 'SELECT count(*) FROM sqlite_schema') > 0)) {
    throw new Error('it is a database of something else');
  }
  if (version > MIGRATIONS.length) {
    throw new Error(`a newer Partyline wrote it (schema ${version}, and this one knows ${MIGRATIONS.length})`);
  }
  return version;
}

function migrate(database: DatabaseSync): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    const version = versionOf(database);
    for (const step of MIGRATIONS.slice(version)) database.exec(step);
    if (version < MIGRATIONS.length) {
      database.exec(`PRAGMA user_version = ${MIGRATIONS.length}; PRAGMA application_id = ${APPLICATION_ID}`);
    }
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/**
 * Writes into the -wal, and takes back, as much as it will hold between two checkpoints: overwriting takes half as long
 * to sync as growing a file (0.16 against 0.31 ms for 20 kB, ext4). Not where room is short: then it grows as it is needed.
 */
function growWal(database: DatabaseSync, path: string): void {
  const bytes = CHECKPOINT_PAGES * PAGE_BYTES;
  const { bavail, bsize } = statfsSync(path);
  if (bavail * bsize < bytes * ROOM_FOR_WAL) return;
  database.exec('PRAGMA cache_size = 10; BEGIN IMMEDIATE; CREATE TABLE filler (bytes BLOB)');
  try {
    database.prepare('INSERT INTO filler VALUES (zeroblob(?))').run(bytes);
  } finally {
    database.exec(`ROLLBACK; PRAGMA cache_size = -${WRITER_CACHE_KIB}`);
  }
}

/** The first column of the first row. */
export function numberOf(database: DatabaseSync, sql: string): number {
  const [value] = Object.values(database.prepare(sql).get() ?? {});
  return Number(value ?? 0);
}

/** The last id that was given: of a message that is there, or was lost. In a database of any schema. */
export function headOf(database: DatabaseSync): number {
  const head = numberOf(database, 'SELECT max(id) FROM message');
  if (numberOf(database, "SELECT count(*) FROM sqlite_schema WHERE name = 'lost'") === 0) return head;
  return Math.max(head, numberOf(database, 'SELECT max(last) FROM lost'));
}

/** Whose log and whose ids it has. */
export function identityOf(database: DatabaseSync): string {
  return String(database.prepare('SELECT identity FROM log').get()?.['identity']);
}

/** Why it is to be made another journal, and has not been yet. */
export function doubtOf(database: DatabaseSync): string | undefined {
  const doubt = database.prepare('SELECT doubt FROM log').get()?.['doubt'];
  return typeof doubt === 'string' ? doubt : undefined;
}

/** Makes it another journal. Its log, if there is one, is no longer its own: to be in the database before. */
export function renewIdentity(database: DatabaseSync): void {
  database.exec('UPDATE log SET identity = lower(hex(randomblob(16))), doubt = NULL');
}
