// The one that writes the database: messages out of the log, the words of their texts, changes of who there is, and records.
// Lives in a worker, so that nobody who talks waits for it.

import { existsSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { Everything, Recorded } from '../core/journal.ts';
import type { Chained } from '../core/run/record.ts';
import { Chain } from './chain.ts';
import { doubtOf, headOf, identityOf, openForWriting } from './database.ts';
import { isEntryAtFault, wordsFor } from './errors.ts';
import { WordIndexer } from './index-words.ts';
import { Indexer } from './indexer.ts';
import { Renewal } from './renewal.ts';
import { segmentPath, segmentsOf } from './segment.ts';
import { inTransaction, syncWrites } from './transaction.ts';
import { change, readEverything } from './who.ts';
import { witnessedIn } from './witness.ts';
import type { Found, ToRecord, Wrote } from './wire.ts';

export class Writer {
  readonly #database: DatabaseSync;
  readonly #words: WordIndexer;
  readonly #renewal: Renewal;
  readonly #chain: Chain;
  #isBehind = false;
  readonly messages: Indexer;
  readonly found: Found;
  /** As it was found, this start counted. */
  readonly everything: Everything;

  /** Throws an Error in words. */
  constructor(path: string) {
    const [left] = existsSync(path) ? [] : segmentsOf(path);
    if (left !== undefined) {
      const log = segmentPath(path, left);
      throw new Error(`Cannot open the journal ${path}: it is not there, and its log is, ${log}: move both or neither`);
    }
    this.#database = openForWriting(path);
    try {
      const identity = identityOf(this.#database);
      this.found = { identity, witnessed: witnessedIn(this.#database), noted: doubtOf(this.#database) };
      this.messages = new Indexer(this.#database, { path, identity, head: headOf(this.#database) });
      // Synced, and with it all that the server before this one stored: its log may be used again.
      this.#database.exec('UPDATE meta SET start = start + 1');
      this.everything = readEverything(this.#database);
      this.#words = new WordIndexer(this.#database);
      this.#renewal = new Renewal(this.#database, this.#words);
      this.#chain = new Chain(this.#database);
    } catch (error) {
      this.#database.close();
      throw new Error(`Cannot open the journal ${path}: ${wordsFor(error)}`, { cause: error });
    }
  }

  /** Each list of changes and each record whole or not at all; on disk, where somebody waits for it, or told why not. */
  record(lists: readonly ToRecord[]): { recorded: (Recorded | Chained)[]; wrote: Wrote } {
    try {
      // What nobody waits for is synced with what comes next, or when there is nothing else to do.
      const isWaitedFor = lists.some((list) => !('type' in list) || list.type === 'started');
      this.#database.exec(`PRAGMA synchronous = ${isWaitedFor ? 'FULL' : 'NORMAL'}`);
      const recorded = inTransaction(this.#database, () => lists.map((list) => this.#tryRecord(list)));
      const hasWritten = lists.some((list, at) => !isEmpty(list) && isWritten(recorded[at]));
      // A transaction that has changed nothing syncs nothing, and says nothing of the disk.
      if (hasWritten) this.#isBehind = !isWaitedFor;
      return { recorded, wrote: { state: hasWritten ? 'ok' : 'unchanged' } };
    } catch (error) {
      const reason = wordsFor(error);
      return { recorded: lists.map(() => ({ failed: reason })), wrote: { state: 'failing', reason } };
    }
  }

  /** One that cannot be must not take its neighbours along. */
  #tryRecord(list: ToRecord): Recorded | Chained {
    this.#database.exec('SAVEPOINT list');
    try {
      const recorded = 'type' in list ? this.#chain.add(list) : undefined;
      if (!('type' in list)) for (const each of list) change(this.#database, each);
      this.#database.exec('RELEASE list');
      return recorded;
    } catch (error) {
      if (!isEntryAtFault(error)) throw error;
      this.#database.exec('ROLLBACK TO list; RELEASE list');
      return { failed: wordsFor(error) };
    }
  }

  /** Something was written that a power cut would take. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /** Puts some more words into their index; false: there are no more, or no room for them now. */
  indexWords(): boolean {
    try {
      return this.#words.step(this.messages.head);
    } catch {
      return false;
    }
  }

  /** Moves some more of what an older program left; false: there is nothing more, or no room for it now. */
  renew(): boolean {
    try {
      return this.#renewal.step();
    } catch {
      return false;
    }
  }

  /** Throws what SQLite throws. */
  sync(): void {
    if (this.#isBehind) syncWrites(this.#database);
    this.#isBehind = false;
  }

  close(): void {
    this.#database.close();
  }
}

function isEmpty(list: ToRecord): boolean {
  return !('type' in list) && list.length === 0;
}

function isWritten(answer: Recorded | Chained): boolean {
  return answer === undefined || 'hash' in answer;
}
