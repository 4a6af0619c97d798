// The words that search finds, put into their index some time after the messages: nobody who talks waits for it. It is
// brought up to date before a search and whenever there is nothing else to write.

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { numberOf } from './database.ts';
import { fillSlice, KINDS, makeSlice, sliceOf } from './slices.ts';
import { inTransaction } from './transaction.ts';

/** Messages that are done at once: some milliseconds in which the database takes nothing else. */
const CHUNK_MESSAGES = 500;

export class WordIndexer {
  readonly #database: DatabaseSync;
  readonly #advance;
  readonly #size: number;
  readonly #chunk: number;
  #upTo: number;
  /** Of the slice that was last filled. */
  #slice = -1;
  #inserts: readonly StatementSync[] = [];

  constructor(database: DatabaseSync, chunk = CHUNK_MESSAGES) {
    this.#database = database;
    this.#chunk = chunk;
    this.#upTo = numberOf(database, 'SELECT words_up_to FROM meta');
    this.#size = numberOf(database, 'SELECT slice FROM meta');
    this.#advance = database.prepare('UPDATE meta SET words_up_to = ?');
  }

  /** Does a part of what is left up to this message; false: nothing was left. Throws what SQLite throws. */
  step(head: number): boolean {
    const from = this.#upTo + 1;
    const end = (sliceOf(from, this.#size) + 1) * this.#size;
    const upTo = Math.min(head, this.#upTo + this.#chunk, end);
    if (upTo < from) return false;
    try {
      inTransaction(this.#database, () => {
        this.insert(from, upTo);
        this.#advance.run(upTo);
      });
    } catch (error) {
      this.forget();
      throw error;
    }
    this.#upTo = upTo;
    return true;
  }

  /** Within a transaction, messages of one slice. */
  insert(from: number, upTo: number): void {
    const slice = sliceOf(from, this.#size);
    if (slice !== this.#slice) {
      makeSlice(this.#database, slice, this.#size);
      this.#inserts = KINDS.map((kind) => this.#database.prepare(fillSlice(kind, slice)));
      this.#slice = slice;
    }
    for (const insert of this.#inserts) insert.run(from, upTo);
  }

  /** The transaction was taken back, and what a slice was filled through may have gone with it. */
  forget(): void {
    this.#slice = -1;
  }

  /** The first message of the slice that this one is in. */
  startOf(id: number): number {
    return sliceOf(id, this.#size) * this.#size + 1;
  }
}
