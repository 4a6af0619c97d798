// The one that writes: a batch is a transaction, synced before it is answered. Lives in a worker, so that a slow disk
// is not felt by whoever talks.

import type { DatabaseSync } from 'node:sqlite';
import type { Everything } from '../core/journal.ts';
import { Appender } from './append.ts';
import { openForWriting } from './database.ts';
import { isEntryAtFault, wordsFor } from './errors.ts';
import { WordIndexer } from './index-words.ts';
import { change, readEverything } from './who.ts';
import type { Answer, Entry, PackedMessage, Wrote } from './wire.ts';

/** For each key that is stored so many old ones may go: they get fewer, and no batch is held up by them. */
const PURGED_FOR_EACH_KEY = 2;

export class Writer {
  readonly #database: DatabaseSync;
  readonly #appender: Appender;
  readonly #indexer: WordIndexer;
  /** As it was found, this start counted. */
  readonly everything: Everything;
  /** The last id that is given. */
  #head: number;

  /** Throws an Error in words. */
  constructor(path: string) {
    this.#database = openForWriting(path);
    try {
      this.#database.exec('UPDATE meta SET start = start + 1');
      this.everything = readEverything(this.#database);
      this.#appender = new Appender(this.#database);
      this.#indexer = new WordIndexer(this.#database);
      this.#head = this.everything.head;
    } catch (error) {
      this.#database.close();
      throw new Error(`Cannot open the journal ${path}: ${wordsFor(error)}`, { cause: error });
    }
  }

  /** All of it is on disk, or answered `failed`. */
  write(entries: readonly Entry[]): { answers: Answer[]; wrote: Wrote } {
    try {
      return this.#transaction(entries, (entry) => this.#enter(entry));
    } catch (error) {
      if (!isEntryAtFault(error)) return failing(entries, error);
    }
    // One of them is wrong. It must not take its neighbours along.
    try {
      return this.#transaction(entries, (entry) => this.#tryEnter(entry));
    } catch (error) {
      return failing(entries, error);
    }
  }

  #transaction(entries: readonly Entry[], enter: (entry: Entry) => Answer): { answers: Answer[]; wrote: Wrote } {
    const before = this.#head;
    try {
      // Left over where a failing disk let nothing be rolled back either.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      this.#database.exec('BEGIN IMMEDIATE');
      const answers = entries.map(enter);
      this.#purge(entries);
      this.#database.exec('COMMIT');
      const isWritten = answers.some((answer) => answer === null || typeof answer === 'number');
      return { answers, wrote: { state: isWritten ? 'ok' : 'unchanged' } };
    } catch (error) {
      this.#head = before;
      // SQLite has already rolled back after some errors.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  #enter(entry: Entry): Answer {
    if (isMessage(entry)) {
      const answer = this.#appender.append(entry, this.#head + 1);
      if (typeof answer === 'number') this.#head = answer;
      return answer;
    }
    for (const each of entry.changes) change(this.#database, each);
    return null;
  }

  #tryEnter(entry: Entry): Answer {
    const before = this.#head;
    this.#database.exec('SAVEPOINT entry');
    try {
      const answer = this.#enter(entry);
      this.#database.exec('RELEASE entry');
      return answer;
    } catch (error) {
      if (!isEntryAtFault(error)) throw error;
      this.#database.exec('ROLLBACK TO entry; RELEASE entry');
      this.#head = before;
      return failed(entry, wordsFor(error));
    }
  }

  #purge(entries: readonly Entry[]): void {
    const keyed = entries.filter(isMessage).filter((message) => message[7] !== undefined);
    const [atMs] = keyed.at(-1) ?? [];
    if (atMs !== undefined) this.#appender.purge(atMs, keyed.length * PURGED_FOR_EACH_KEY);
  }

  /** Puts some more words into their index; false: there are no more, or no room for them now. */
  index(): boolean {
    try {
      return this.#indexer.step(this.#head);
    } catch {
      return false;
    }
  }

  close(): void {
    this.#database.close();
  }
}

function isMessage(entry: Entry): entry is PackedMessage {
  return !('changes' in entry);
}

function failed(entry: Entry, reason: string): Answer {
  return isMessage(entry) ? { result: 'failed', reason } : { failed: reason };
}

function failing(entries: readonly Entry[], error: unknown): { answers: Answer[]; wrote: Wrote } {
  const reason = wordsFor(error);
  return { answers: entries.map((entry) => failed(entry, reason)), wrote: { state: 'failing', reason } };
}
