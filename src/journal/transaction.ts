// All of something or none of it.

import type { DatabaseSync } from 'node:sqlite';

/** Synced when it returns, if `synchronous` is FULL then. Throws what SQLite or `body` throws, and nothing has happened then. */
export function inTransaction<T>(database: DatabaseSync, body: () => T): T {
  // Left over where a failing disk let nothing be rolled back either.
  if (database.isTransaction) database.exec('ROLLBACK');
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = body();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    // SQLite has already rolled back after some errors.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/**
 * Syncs the -wal, and so every transaction before: in WAL mode that is what a commit does where `synchronous` is FULL
 * (https://sqlite.org/pragma.html#pragma_synchronous).
 */
export function syncWrites(database: DatabaseSync): void {
  database.exec('PRAGMA synchronous = FULL');
  inTransaction(database, () => database.exec('UPDATE meta SET start = start'));
}
