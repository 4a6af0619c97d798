// Storing a message: its row, who gets it, who talked with whom, and its resend key.

import type { DatabaseSync } from 'node:sqlite';
import { RESEND_KEEP_MS } from '../core/journal.ts';
import { Heard } from './heard.ts';
import { isDirect, isGroup, keyOf } from './keys.ts';
import type { PackedMessage } from './wire.ts';

/** In `talk`, the member that stands for everyone: what was said to a group is found for whoever got it. */
const EVERYONE = 0;

export class Appender {
  readonly #message;
  readonly #recipient;
  readonly #talk;
  readonly #resend;
  readonly #purge;
  readonly #heard: Heard;

  constructor(database: DatabaseSync) {
    this.#message = database.prepare('INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?)');
    this.#recipient = database.prepare('INSERT INTO recipient VALUES (?, ?)');
    this.#heard = new Heard(database);
    // Whoever writes to themselves is their own peer twice.
    this.#talk = database.prepare('INSERT OR IGNORE INTO talk VALUES (?, ?, ?)');
    // What is replaced is older than RESEND_KEEP_MS.
    this.#resend = database.prepare('INSERT OR REPLACE INTO resend VALUES (?, ?, ?, ?, ?)');
    this.#purge = database.prepare(`
      DELETE FROM resend WHERE (sender, key) IN
        (SELECT sender, key FROM resend WHERE at_ms <= ? ORDER BY at_ms LIMIT ?)`);
  }

  append(packed: PackedMessage, id: number): void {
    const [atMs, from, fromName, cast, to, text, , resend] = packed;
    this.#message.run(id, atMs, from, fromName, cast, JSON.stringify(to), text);
    if (cast !== 'broadcast') this.#address(packed, id);
    if (resend === undefined) return;
    const [key, digest] = resend;
    this.#resend.run(from, key, id, atMs, Buffer.from(digest, 'base64'));
  }

  #address([, from, fromName, cast, to, , recipients]: PackedMessage, id: number): void {
    const isHeard = isDirect({ cast, to });
    const senderKey = keyOf(fromName);
    for (const member of recipients) {
      this.#recipient.run(member, id);
      if (isHeard) this.#talk.run(member, senderKey, id);
    }
    for (const addressed of to) {
      const key = keyOf(addressed);
      this.#talk.run(isGroup(addressed) ? EVERYONE : from, key, id);
      if (isGroup(addressed)) this.#heard.say(key, { id, members: new Set([...recipients, from]) });
    }
  }

  /** What was stored since the transaction began has been taken back. */
  forget(): void {
    this.#heard.forget();
  }

  /** Forgets keys that are too old at this time, at most so many. */
  purge(atMs: number, limit: number): void {
    this.#purge.run(atMs - RESEND_KEEP_MS, limit);
  }
}
