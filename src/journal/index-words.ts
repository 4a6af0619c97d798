// The words that search finds, put into their index some time after the messages: nobody who talks waits for it. It is
// brought up to date before a search and whenever there is nothing else to write.

import type { DatabaseSync } from 'node:sqlite';
import { numberOf } from './database.ts';

/** Messages that are done at once: some milliseconds in which the database takes nothing else. */
const CHUNK_MESSAGES = 500;

export class WordIndexer {
  readonly #database: DatabaseSync;
  readonly #insert;
  readonly #advance;
  #upTo: number;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#upTo = numberOf(database, 'SELECT words_up_to FROM meta');
    this.#insert = database.prepare(
      'INSERT INTO message_text (rowid, text) SELECT id, text FROM message WHERE id > ? AND id <= ?',
    );
    this.#advance = database.prepare('UPDATE meta SET words_up_to = ?');
  }

  /** Does a part of what is left up to this message; false: nothing was left. Throws what SQLite throws. */
  step(head: number): boolean {
    const upTo = Math.min(head, this.#upTo + CHUNK_MESSAGES);
    if (upTo <= this.#upTo) return false;
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      this.#insert.run(this.#upTo, upTo);
      this.#advance.run(upTo);
      this.#database.exec('COMMIT');
      this.#upTo = upTo;
      return true;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }
}
