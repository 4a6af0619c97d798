// What else than messages knows their ids: where that goes further than the messages do, some are missing. A log that was
// cut exactly between two frames shows nothing else.

import type { DatabaseSync } from 'node:sqlite';
import { headOf, identityOf, numberOf } from './database.ts';
import { seedOf } from './frame.ts';
import { lastOf, readSegment } from './log-reader.ts';
import { segmentsOf } from './segment.ts';

/** The last id that anything but a message knows of: it was given. */
export function witnessedIn(database: DatabaseSync): number {
  return numberOf(
    database,
    `SELECT max(ifnull((SELECT max(max(delivered, since)) FROM account), 0), ifnull((SELECT max(message) FROM resend), 0))`,
  );
}

/** Undefined: it is no more than what there is. */
export function wordsForWitnessed(witnessed: number, head: number): string | undefined {
  if (witnessed <= head) return undefined;
  const lost = witnessed === head + 1 ? `message ${witnessed} is` : `messages ${head + 1} to ${witnessed} are`;
  return `Message ${witnessed} has reached somebody, and the last one that is there is ${head}: ${lost} lost`;
}

/**
 * A copy may have been told of messages that came while it was made, and are in the log that goes on without it: in the copy
 * nobody has had them.
 */
export function forgetLater(copy: DatabaseSync, path: string): void {
  const [head, witnessed] = [headOf(copy), witnessedIn(copy)];
  if (witnessed <= head || newestIn(path, seedOf(identityOf(copy))) < witnessed) return;
  copy.prepare('UPDATE account SET delivered = min(delivered, ?1), since = min(since, ?1)').run(head);
}

/** The last message of a log. */
function newestIn(path: string, seed: number): number {
  return Math.max(0, ...segmentsOf(path).map((segment) => lastOf(readSegment(path, { segment }), seed)));
}
