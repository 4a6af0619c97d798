// Whether the database has what the log has, and which of the two is altered if not: the log keeps what was last said for some
// time after the database got it.

import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { identityOf } from './database.ts';
import { findFrame, type Frame, headAt, messagesOf, seedOf } from './frame.ts';
import { framesOf, readSegment } from './log-reader.ts';
import { segmentPath, segmentsOf } from './segment.ts';
import type { PackedMessage } from './wire.ts';

type Row = Record<string, SQLOutputValue>;

/** That it is the database which is altered, the checksum of the log says. */
export interface Difference {
  readonly id: number;
  readonly words: string;
}

/**
 * Each message up to `upTo` that the database has otherwise than the log at this path. The log has to be read after the
 * database: what failed to be stored is gone from it then.
 */
export function* differences(
  database: DatabaseSync,
  { path, upTo }: { path: string; upTo: number },
): Generator<Difference, undefined> {
  const message = database.prepare('SELECT * FROM message WHERE id = ?');
  const seed = seedOf(identityOf(database));
  for (const segment of segmentsOf(path)) {
    const frames = [...framesOf(readSegment(path, { segment }), seed)];
    const recipients = recipientsOf(database, frames);
    for (const [id, packed] of frames.flatMap(numbered)) {
      if (id > upTo) break;
      const row = message.get(id);
      const what = row === undefined ? 'nothing' : differenceOf(packed, { ...row, to: recipients.get(id) ?? '' });
      if (what === undefined) continue;
      const words = `Message ${id} is altered in the database: it has ${what} there than in the log, whose checksum is right`;
      yield { id, words: row === undefined ? `Message ${id} is missing in the database, and is in the log` : words };
    }
  }
}

/**
 * Messages up to `upTo`, which the database has, whose frames in the log are not what was written there, a sentence for each
 * place: another frame that is whole and later in the same file says so. At its very end a frame may be one that was cut short.
 */
export function* alteredIn(path: string, { seed, upTo }: { seed: number; upTo: number }): Generator<string, undefined> {
  for (const segment of segmentsOf(path)) {
    const look = () => alteredInSegment(path, { segment, seed, upTo });
    const first = look();
    let seen = first.next().value;
    if (seen === undefined) continue;
    // What looks so may have been written just then: what is at the same place in a second reading was not.
    for (const { at, words } of look()) {
      while (seen !== undefined && seen.at < at) seen = first.next().value;
      if (seen?.words === words) yield words;
    }
  }
}

interface Altered {
  /** Where in the file. */
  readonly at: number;
  readonly words: string;
}

/** In the order of the file. */
function* alteredInSegment(
  path: string,
  { segment, seed, upTo }: { segment: number; seed: number; upTo: number },
): Generator<Altered, undefined> {
  const bytes = readSegment(path, { segment });
  for (let [at, last] = [0, 0]; ;) {
    const start = at;
    for (const frame of framesOf(bytes.subarray(start), seed)) {
      last = frame.first + frame.count - 1;
      at = start + frame.end;
    }
    const next = findFrame(bytes, { after: last, seed, from: at });
    if (next === undefined) return;
    const claimed = headAt(bytes, at);
    // At the beginning of a file what stands behind may be left of an earlier use.
    const from = last > 0 ? last + 1 : claimed?.last === next.first - 1 ? claimed.first : next.first;
    if (from < next.first && next.first <= upTo + 1) {
      const which = from === next.first - 1 ? `Message ${from} is` : `Messages ${from} to ${next.first - 1} are`;
      const place = `${segmentPath(path, segment)} from byte ${at} on`;
      yield { at, words: `${which} altered in the log, not in the database: the checksum of ${place} is wrong` };
    }
    at = next.at;
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
