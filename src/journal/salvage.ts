// What is intact of a journal whose log is damaged, as a journal of its own. Nothing is guessed: a frame counts if its
// checksum does, wherever it stands, and what is missing between two is said by its ids and by where it should be.

import { basename } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { Appender } from './append.ts';
import { headOf, identityOf } from './database.ts';
import { type Frame, headAt, MAX_FRAME_MESSAGES, messagesOf, nextFrame, seedOf } from './frame.ts';
import { readSegment } from './log-reader.ts';
import { segmentPath, segmentsOf } from './segment.ts';
import { inTransaction } from './transaction.ts';
import { witnessedIn } from './witness.ts';

/** Bytes of a file of the log, `to` is the first that is not among them. */
export interface Place {
  readonly file: string;
  readonly from: number;
  readonly to: number;
}

/** Messages from `first` to `last`, both included. */
export interface Ids {
  readonly first: number;
  readonly last: number;
}

export interface Lost extends Ids {
  /** Empty: no file of the log has room for them; one that is missing had. */
  readonly places: readonly Place[];
}

export interface Salvaged {
  /** Of the log, beyond what the database has. */
  readonly kept: readonly Ids[];
  readonly lost: readonly Lost[];
  /** Bytes that are no frame, of which nothing says what they were. */
  readonly unread: readonly Place[];
  /** The id that the next message will have. */
  readonly next: number;
}

interface Found extends Frame {
  readonly segment: number;
  readonly last: number;
  /** Where what is no frame begins before it, and ends behind it. */
  readonly after: number;
  before: number;
}

/** Puts into a copy of the database what its log at `path` has, over what is missing. Throws what SQLite and the files say. */
export function salvage(copy: DatabaseSync, path: string, nowMs: number): Salvaged {
  const { frames, broken } = readLog(path, seedOf(identityOf(copy)));
  const kept: Ids[] = [];
  const lost: Lost[] = [];
  const appender = new Appender(copy);
  let last = headOf(copy);
  let before: Found | undefined;
  inTransaction(copy, () => {
    for (const frame of frames) {
      if (frame.last > last) {
        const from = Math.max(frame.first, last + 1);
        if (from > last + 1)
          lost.push({ first: last + 1, last: from - 1, places: placesOf(path, between(before, frame)) });
        const messages = messagesOf(frame).slice(from - frame.first);
        for (const [at, message] of messages.entries()) appender.append(message, from + at);
        join(kept, { first: from, last: frame.last });
        last = frame.last;
      }
      before = frame;
    }
    // One that was cut short, or was whole and accepted: nothing tells.
    const claims = broken.filter(({ head }) => head?.first === last + 1 && head.last - last <= MAX_FRAME_MESSAGES);
    const seen = Math.max(last, witnessedIn(copy), ...claims.map(({ head }) => head?.last ?? 0));
    if (seen > last) lost.push({ first: last + 1, last: seen, places: placesOf(path, claims) });
    const insert = copy.prepare('INSERT INTO lost VALUES (?, ?, ?)');
    for (const ids of lost) insert.run(ids.first, ids.last, nowMs);
  });
  const told = new Set(lost.flatMap(({ places }) => places.map(({ file, from }) => `${file} ${from}`)));
  const unread = placesOf(path, broken).filter(({ file, from }) => !told.has(`${file} ${from}`));
  return { kept, lost, unread, next: headOf(copy) + 1 };
}

function join(kept: Ids[], { first, last }: Ids): void {
  const before = kept.at(-1);
  if (before?.last === first - 1) kept[kept.length - 1] = { first: before.first, last };
  else kept.push({ first, last });
}

interface Log {
  /** Those that are whole, in the order of their ids. */
  readonly frames: readonly Found[];
  /** What is no frame where one should be, and the ids that its head claims. */
  readonly broken: readonly (Hole & { readonly head: Ids | undefined })[];
}

interface Hole {
  readonly segment: number;
  readonly from: number;
  readonly to: number;
}

function readLog(path: string, seed: number): Log {
  const frames: Found[] = [];
  const broken: (Hole & { head: Ids | undefined })[] = [];
  for (const segment of segmentsOf(path)) {
    const bytes = readSegment(path, { segment });
    const own: Found[] = [];
    for (let at = 0; ;) {
      const frame = nextFrame(bytes, at, seed);
      const hole = { segment, from: at, to: frame?.at ?? endOf(bytes, at), head: headAt(bytes, at) };
      // Behind a frame an earlier use of the file may have left anything, and whole frames of its own after that.
      if (hole.to > at && (at === 0 || frame === undefined || hole.head !== undefined)) broken.push(hole);
      const before = own.at(-1);
      if (before !== undefined) before.before = hole.to;
      if (frame === undefined) break;
      own.push({ ...frame, segment, last: frame.first + frame.count - 1, after: at, before: frame.end });
      at = frame.end;
    }
    frames.push(...own);
  }
  return { frames: frames.toSorted((a, b) => a.first - b.first), broken };
}

/** Where the zeros begin that nothing was written over yet. */
function endOf(bytes: Buffer, from: number): number {
  let end = bytes.length;
  while (end > from && bytes[end - 1] === 0) end -= 1;
  return end;
}

/** Where frames that stood between these two would be. */
function between(before: Found | undefined, after: Found | undefined): Hole[] {
  const holes: Hole[] = [];
  if (before !== undefined) holes.push({ segment: before.segment, from: before.end, to: before.before });
  if (after !== undefined) holes.push({ segment: after.segment, from: after.after, to: after.at });
  return holes;
}

/** Each once, without those where nothing is. */
function placesOf(path: string, holes: readonly Hole[]): Place[] {
  const places = new Map<string, Place>();
  for (const { segment, from, to } of holes) {
    const file = basename(segmentPath(path, segment));
    if (to > from) places.set(`${file} ${from}`, { file, from, to });
  }
  return [...places.values()];
}
