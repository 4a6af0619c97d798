// Which resend keys stand for which messages: of those that the database does not have yet from memory, of all others
// from there. One lookup by primary key takes some microseconds.

import { hash } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type Appended, type MessageId, type NewMessage, RESEND_KEEP_MS } from '../core/journal.ts';
import { openForReading } from './database.ts';
import { type Frame, mayHaveKeys, messagesOf } from './frame.ts';
import type { Resend } from './wire.ts';

/**
 * A lookup that waits holds up everybody. In WAL mode a reader waits for no writer and for no checkpoint; the connection
 * stays open, which keeps whoever wants the file alone from it. What is left is another process that puts the index of
 * the -wal right after a crash, or leaves WAL mode before this one has begun. Then the message is refused, and nothing
 * is kept: sent again under its key it is stored once.
 */
const LOOKUP_WAIT_MS = 2;
/** Of messages that the database does not have yet: some 50 MB of them. Whoever sends with more keys waits for the database. */
const MAX_RECENT = 200_000;

interface First {
  readonly id: MessageId;
  readonly atMs: number;
  readonly digest: string;
}

export class Resends {
  readonly #database: DatabaseSync;
  readonly #lookup: StatementSync;
  /** In the order of their ids. */
  readonly #recent = new Map<string, First>();
  readonly #maxRecent: number;

  /** Throws an Error in words. */
  constructor(path: string, { maxRecent = MAX_RECENT } = {}) {
    this.#maxRecent = maxRecent;
    this.#database = openForReading(path);
    this.#database.exec(`PRAGMA busy_timeout = ${LOOKUP_WAIT_MS}`);
    this.#lookup = this.#database.prepare('SELECT message, at_ms, digest FROM resend WHERE sender = ? AND key = ?');
  }

  /** No key is to be kept before the database has some of these. */
  get isFull(): boolean {
    return this.#recent.size >= this.#maxRecent;
  }

  /** What became of an earlier message with this key, or what to keep with the one that is new. Throws what SQLite throws. */
  check({ from, atMs, cast, to, text }: NewMessage, key: string): Exclude<Appended, { result: 'new' }> | Resend {
    const digest = hash('sha256', JSON.stringify([cast, to, text]), 'base64');
    const first = this.#recent.get(together(from, key)) ?? this.#stored(from, key);
    if (first === undefined || atMs - first.atMs >= RESEND_KEEP_MS) return [key, digest];
    const { id } = first;
    return first.digest === digest ? { result: 'same', id, atMs: first.atMs } : { result: 'other', id };
  }

  keep(from: number, [key, digest]: Resend, { id, atMs }: { id: MessageId; atMs: number }): void {
    this.#recent.delete(together(from, key));
    this.#recent.set(together(from, key), { id, atMs, digest });
  }

  /** Of messages that a server before this one has left in the log; as far as there is room. */
  keepAll(frame: Frame): void {
    if (this.isFull || !mayHaveKeys(frame)) return;
    for (const [at, [atMs, from, , , , , , resend]] of messagesOf(frame).entries()) {
      if (resend !== undefined) this.keep(from, resend, { id: frame.first + at, atMs });
    }
  }

  /** These were not stored after all. */
  takeBack(after: MessageId): void {
    for (const [key, { id }] of this.#recent) if (id > after) this.#recent.delete(key);
  }

  /** Everything up to here is in the database. */
  release(upTo: MessageId): void {
    for (const [key, { id }] of this.#recent) {
      if (id > upTo) return;
      this.#recent.delete(key);
    }
  }

  #stored(from: number, key: string): First | undefined {
    const row = this.#lookup.get(from, key);
    if (row === undefined) return undefined;
    const digest = row['digest'] instanceof Uint8Array ? Buffer.from(row['digest']).toString('base64') : '';
    return { id: Number(row['message']), atMs: Number(row['at_ms']), digest };
  }

  close(): void {
    this.#database.close();
  }
}

function together(from: number, key: string): string {
  return `${from} ${key}`;
}
