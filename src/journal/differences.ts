// Whether the database has what the log has: the log keeps what was last said for some time after the database got it.

import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { identityOf } from './database.ts';
import { type Frame, messagesOf, seedOf } from './frame.ts';
import { framesOf, readSegment } from './log-reader.ts';
import { segmentsOf } from './segment.ts';
import type { PackedMessage } from './wire.ts';

type Row = Record<string, SQLOutputValue>;

/**
 * A sentence for each message up to `upTo` that the database has otherwise than the log at this path. The log has to be
 * read after the database: what failed to be stored is gone from it then.
 */
export function* differences(
  database: DatabaseSync,
  { path, upTo }: { path: string; upTo: number },
): Generator<string, undefined> {
  const message = database.prepare('SELECT * FROM message WHERE id = ?');
  const seed = seedOf(identityOf(database));
  for (const segment of segmentsOf(path)) {
    const frames = [...framesOf(readSegment(path, { segment }), seed)];
    const recipients = recipientsOf(database, frames);
    for (const [id, packed] of frames.flatMap(numbered)) {
      if (id > upTo) break;
      const row = message.get(id);
      const difference = row === undefined ? 'nothing' : differenceOf(packed, { ...row, to: recipients.get(id) ?? '' });
      if (difference !== undefined) yield `Message ${id} is in the log, and the database has ${difference} there`;
    }
  }
}

function numbered(frame: Frame): [id: number, packed: PackedMessage][] {
  return messagesOf(frame).map((packed, at) => [frame.first + at, packed]);
}

/** By message. They are kept by member: one pass over them all for a segment, not a search for each message. */
function recipientsOf(database: DatabaseSync, frames: readonly Frame[]): ReadonlyMap<number, string> {
  const [first, last] = [frames.at(0), frames.at(-1)];
  if (first === undefined || last === undefined) return new Map();
  const rows = database
    .prepare('SELECT message, group_concat(member) AS members FROM recipient WHERE message BETWEEN ? AND ? GROUP BY 1')
    .all(first.first, last.first + last.count - 1);
  return new Map(rows.map(({ message, members }) => [Number(message), inOrder(String(members).split(','))]));
}

function inOrder(members: readonly (number | string)[]): string {
  return members
    .map(Number)
    .sort((a, b) => a - b)
    .join();
}

function differenceOf([atMs, from, fromName, cast, to, text, recipients]: PackedMessage, row: Row): string | undefined {
  // The database has no half of a surrogate pair.
  if (row['text'] !== text.toWellFormed()) return 'another text';
  if (row['at_ms'] !== atMs) return 'another time';
  if (row['sender'] !== from || row['sender_name'] !== fromName) return 'another sender';
  if (row['sent_as'] !== cast || row['addressed'] !== JSON.stringify(to) || row['to'] !== inOrder(recipients)) {
    return 'other recipients';
  }
  return undefined;
}
