// All of something or none of it.

import type { DatabaseSync } from 'node:sqlite';

/** Synced when it returns. Throws what SQLite or `body` throws, and nothing has happened then. */
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
