// Storing a message: its row, who gets it, who talked with whom, and its resend key.

import { hash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { RESEND_KEEP_MS } from '../core/journal.ts';
import { WrongEntry } from './errors.ts';
import { isDirect, isGroup, keyOf } from './keys.ts';
import type { Answer, PackedMessage } from './wire.ts';

/** In `talk`, the member that stands for everyone: what was said to a group is found for whoever got it. */
const EVERYONE = 0;

export class Appender {
  readonly #database: DatabaseSync;
  readonly #message;
  readonly #recipient;
  readonly #talk;
  readonly #resend;
  readonly #sentBefore;
  readonly #purge;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#message = database.prepare('INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?)');
    this.#recipient = database.prepare('INSERT INTO recipient VALUES (?, ?)');
    // Whoever writes to themselves is their own peer twice.
    this.#talk = database.prepare('INSERT OR IGNORE INTO talk VALUES (?, ?, ?)');
    // What is replaced is older than RESEND_KEEP_MS.
    this.#resend = database.prepare('INSERT OR REPLACE INTO resend VALUES (?, ?, ?, ?, ?)');
    this.#sentBefore = database.prepare('SELECT message, at_ms, digest FROM resend WHERE sender = ? AND key = ?');
    this.#purge = database.prepare(`
      DELETE FROM resend WHERE (sender, key) IN
        (SELECT sender, key FROM resend WHERE at_ms <= ? ORDER BY at_ms LIMIT ?)`);
  }

  get database(): DatabaseSync {
    return this.#database;
  }

  /** Stores it under `id`, unless its key says that it was stored before. */
  append(packed: PackedMessage, id: number): Answer {
    const [atMs, from, fromName, cast, to, text, recipients, resendKey] = packed;
    // A group may have nobody in it but the sender.
    if (cast === 'singlecast' ? recipients.length !== 1 : cast === 'broadcast' && recipients.length > 0) {
      throw new WrongEntry(`a ${cast} cannot have ${recipients.length} recipients`);
    }
    const digest = resendKey === undefined ? undefined : hash('sha256', JSON.stringify([cast, to, text]), 'buffer');
    if (resendKey !== undefined && digest !== undefined) {
      const first = this.#sentBefore.get(from, resendKey);
      if (first !== undefined && atMs - Number(first['at_ms']) < RESEND_KEEP_MS) {
        const id = Number(first['message']);
        const isSame = first['digest'] instanceof Uint8Array && digest.equals(first['digest']);
        return isSame ? { result: 'same', id, atMs: Number(first['at_ms']) } : { result: 'other', id };
      }
    }
    this.#message.run(id, atMs, from, fromName, cast, to, text);
    if (cast !== 'broadcast') this.#address(packed, id);
    if (resendKey !== undefined && digest !== undefined) this.#resend.run(from, resendKey, id, atMs, digest);
    return id;
  }

  #address([, from, fromName, cast, packedTo, , recipients]: PackedMessage, id: number): void {
    const to: readonly string[] = JSON.parse(packedTo);
    const isHeard = isDirect({ cast, to });
    const senderKey = keyOf(fromName);
    for (const member of recipients) {
      this.#recipient.run(member, id);
      if (isHeard) this.#talk.run(member, senderKey, id);
    }
    for (const addressed of to) this.#talk.run(isGroup(addressed) ? EVERYONE : from, keyOf(addressed), id);
  }

  /** Forgets keys that are too old at this time, at most so many. */
  purge(atMs: number, limit: number): void {
    this.#purge.run(atMs - RESEND_KEEP_MS, limit);
  }
}
