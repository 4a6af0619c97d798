// What the log holds, put into the database in large transactions. They are not synced one by one: the log is there, and a
// disk that syncs one file keeps the others waiting. Once in a while all of them are, and then the log may forget them.

import type { DatabaseSync } from 'node:sqlite';
import { Appender } from './append.ts';
import { type Frame, messagesOf, seedOf } from './frame.ts';
import { framesOf, readSegment } from './log-reader.ts';
import { inTransaction, syncWrites } from './transaction.ts';
import type { PackedMessage, Range } from './wire.ts';

/** Messages of a transaction: some tens of milliseconds, after which whoever asks something else has a turn. */
const CHUNK_MESSAGES = 1_000;
/** For each key that is stored so many old ones may go: they get fewer, and no transaction is held up by them. */
const PURGED_FOR_EACH_KEY = 2;

export class Indexer {
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #seed: number;
  readonly #appender: Appender;
  #ranges: Range[] = [];
  /** Of the range that is being read. */
  #frames: Iterator<Frame, undefined> | undefined;
  /** Read from the log and not in the database yet: the first one is `#head + 1`. */
  #waiting: PackedMessage[] = [];
  #head: number;
  #durable: number;

  constructor(database: DatabaseSync, { path, identity, head }: { path: string; identity: string; head: number }) {
    this.#database = database;
    this.#path = path;
    this.#seed = seedOf(identity);
    this.#appender = new Appender(database);
    this.#head = head;
    this.#durable = head;
  }

  /** The last message in the database. */
  get head(): number {
    return this.#head;
  }

  /** The last one that the database would have after a power cut as well. */
  get durable(): number {
    return this.#durable;
  }

  /** Bytes of the log that nobody has begun to put into the database. */
  get backlogBytes(): number {
    return this.#ranges.reduce((sum, { from, to }) => sum + to - from, 0);
  }

  add(ranges: readonly Range[]): void {
    this.#ranges.push(...ranges);
  }

  /** Stores a part of what was added; false: nothing is left. Throws what SQLite throws, and the part is left then. */
  step(): boolean {
    while (this.#waiting.length < CHUNK_MESSAGES) {
      const frame = this.#frames?.next().value;
      if (frame !== undefined) this.#take(frame);
      else if (!this.#beginRange()) break;
    }
    if (this.#waiting.length === 0) return false;
    this.#storeChunk();
    return this.#waiting.length > 0 || this.#frames !== undefined;
  }

  /** A server that ended may have stored a part of a frame. */
  #take(frame: Frame): void {
    const stored = this.#head + this.#waiting.length + 1 - frame.first;
    const messages = messagesOf(frame);
    this.#waiting.push(...(stored > 0 ? messages.slice(stored) : messages));
  }

  #beginRange(): boolean {
    this.#frames = undefined;
    const range = this.#ranges[0];
    if (range === undefined) return false;
    // From the beginning of a segment on the ones before it may be used again.
    if (range.from === 0) this.sync();
    const bytes = readSegment(this.#path, range);
    const frames = [...framesOf(bytes, this.#seed)];
    const expected = this.#head + this.#waiting.length + 1;
    // Ids are counted, so what is missing would give every message after it the id of another.
    if (frames[0] === undefined || frames[0].first > expected || frames.at(-1)?.end !== range.to - range.from) {
      throw new Error(`its log does not hold what was written there, from message ${expected} on`);
    }
    this.#frames = frames.values();
    this.#ranges.shift();
    return true;
  }

  #storeChunk(): void {
    const chunk = this.#waiting.slice(0, CHUNK_MESSAGES);
    this.#database.exec('PRAGMA synchronous = NORMAL');
    try {
      inTransaction(this.#database, () => this.#append(chunk));
    } catch (error) {
      this.#appender.forget();
      throw error;
    }
    this.#head += chunk.length;
    this.#waiting = this.#waiting.slice(CHUNK_MESSAGES);
  }

  #append(chunk: readonly PackedMessage[]): void {
    for (const [at, message] of chunk.entries()) this.#appender.append(message, this.#head + 1 + at);
    const keyed = chunk.filter((message) => message[7] !== undefined);
    const [atMs] = keyed.at(-1) ?? [];
    if (atMs !== undefined) this.#appender.purge(atMs, keyed.length * PURGED_FOR_EACH_KEY);
  }

  /** Makes all that was stored durable. Throws what SQLite throws. */
  sync(): void {
    if (this.#durable === this.#head) return;
    syncWrites(this.#database);
    this.#durable = this.#head;
  }
}
