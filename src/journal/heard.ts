// Who hears what is said to a group. Asking it of each message took as long as the group is old for somebody who may see
// none of them. So it is kept as stretches: a row says from which message to which a member got or sent all of them, and
// while the same members hear a group nothing is written.

import type { DatabaseSync } from 'node:sqlite';

/** A stretch that goes on ends here. */
const OPEN = Number.MAX_SAFE_INTEGER;
/** Members of all groups that are kept in memory, about 10 MB of them: those of more groups are read again. */
const MAX_KEPT = 100_000;

/** With the message that a member's stretch began with. */
type Audience = Map<number, number>;

export class Heard {
  readonly #now;
  readonly #begin;
  readonly #end;
  readonly #audiences = new Map<string, Audience>();
  #kept = 0;

  constructor(database: DatabaseSync) {
    this.#now = database.prepare(`SELECT member, first FROM heard WHERE peer = ? AND last = ${OPEN}`);
    this.#begin = database.prepare(`INSERT INTO heard VALUES (?, ?, ?, ${OPEN})`);
    this.#end = database.prepare('UPDATE heard SET last = ? WHERE member = ? AND peer = ? AND first = ?');
  }

  /** The message was said to the group of this key, after all others that were. */
  say(peer: string, { id, members }: { id: number; members: ReadonlySet<number> }): void {
    const audience = this.#audienceOf(peer);
    for (const [member, first] of audience) {
      if (members.has(member)) continue;
      this.#end.run(id - 1, member, peer, first);
      audience.delete(member);
      this.#kept -= 1;
    }
    for (const member of members) {
      if (audience.has(member)) continue;
      this.#begin.run(member, peer, id);
      audience.set(member, id);
      this.#kept += 1;
    }
  }

  #audienceOf(peer: string): Audience {
    const kept = this.#audiences.get(peer);
    if (kept !== undefined) return kept;
    if (this.#kept > MAX_KEPT) this.forget();
    const audience: Audience = new Map();
    for (const { member, first } of this.#now.all(peer)) audience.set(Number(member), Number(first));
    this.#audiences.set(peer, audience);
    this.#kept += audience.size;
    return audience;
  }

  /** What was written has been taken back. */
  forget(): void {
    this.#audiences.clear();
    this.#kept = 0;
  }
}
