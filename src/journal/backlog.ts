// What a server that ended left in its log, and the database has not got: found at a start, which does not wait until the
// database has it, and in a copy.

import { statSync } from 'node:fs';
import { wordsFor } from './errors.ts';
import { beginsFrame, findFrame, type Frame, headAt, HEAD_BYTES, isWhole } from './frame.ts';
import { firstOf, framesOf, readSegment } from './log-reader.ts';
import { segmentPath, segmentsOf } from './segment.ts';
import type { Range } from './wire.ts';

export interface Backlog {
  /** The last message, of the log or else of the database. */
  readonly head: number;
  /** Where it is, in order. */
  readonly ranges: readonly Range[];
  /** The last message of each segment that has some of it. */
  readonly lasts: ReadonlyMap<number, number>;
  /** Why it cannot be all. */
  readonly problem: Problem | undefined;
}

/** `isGap`: messages are missing before a segment; else frames are whole behind one that is not, or are of another journal. */
export interface Problem {
  readonly isGap: boolean;
  readonly words: string;
  /** What to do. */
  readonly help: string;
}

interface Wanted {
  /** The last message of the database. */
  readonly after: number;
  readonly seed: number;
  readonly onFrame?: (frame: Frame) => void;
}

/** Throws what the file system says. */
export function readBacklog(path: string, { after, seed, onFrame }: Wanted): Backlog {
  const ranges: Range[] = [];
  const lasts = new Map<number, number>();
  let head = after;
  const begun = segmentsOf(path).map((segment) => ({ segment, first: firstOf(path, segment, seed) }));
  for (const { segment, first } of begun.toSorted((a, b) => a.first - b.first)) {
    if (first > head + 1) return { head, ranges, lasts, problem: gap(first, head) };
    let range: Range | undefined;
    for (const frame of framesOf(readSegment(path, { segment }), seed)) {
      const last = frame.first + frame.count - 1;
      if (last <= head) continue;
      onFrame?.(frame);
      range = { segment, from: range?.from ?? frame.at, to: frame.end };
      head = last;
    }
    if (range === undefined) continue;
    ranges.push(range);
    lasts.set(segment, head);
  }
  return { head, ranges, lasts, problem: problemOf(path, { head, seed }) };
}

function gap(first: number, head: number): Problem {
  const words = `its log goes on with message ${first}, and everything before it ends with ${head}`;
  const help = `put back what was moved, the database or a file of its log; else ${SALVAGE_HELP}`;
  return { isGap: true, words, help };
}

const SALVAGE_HELP =
  '`partyline backup --salvage FILE` keeps what is intact, `partyline restore` puts that or a copy in its place';
export const DAMAGE_HELP = `\`partyline verify\` says what else is wrong, ${SALVAGE_HELP}`;

/**
 * Nothing is acknowledged behind a frame that is not whole: such a one is the end. Where another one is whole further on, it
 * was whole once, and so was all between.
 */
function problemOf(path: string, { head, seed }: Whose): Problem | undefined {
  let stray: Problem | undefined;
  for (const segment of segmentsOf(path)) {
    const bytes = readSegment(path, { segment });
    const frame = findFrame(bytes, { after: head, seed });
    if (frame === undefined) {
      if (isOfAnother(bytes, { head, seed })) stray ??= { isGap: false, ...strayWords(segmentPath(path, segment)) };
      continue;
    }
    const words = `its log is damaged: all up to message ${head} is there, and message ${frame.first} stands behind the damage`;
    return { isGap: false, words, help: DAMAGE_HELP };
  }
  return stray;
}

// ── what is somebody else’s ──

/** The journal that a log should belong to: its last message, and what its checksums begin with. */
interface Whose {
  readonly head: number;
  readonly seed: number;
}

function strayWords(file: string): Pick<Problem, 'words' | 'help'> {
  const help = 'move it away, or put the database there that it belongs to: both or neither';
  return { words: `${file} is of another journal`, help };
}

/** The files of a log that another journal wrote, whether a server writes this one or not. */
export function strayFiles(path: string, whose: Whose): string[] {
  // What looks so may have been written just then.
  const isStray = (segment: number) => isOfAnother(readSegment(path, { segment }), whose);
  return segmentsOf(path)
    .filter((segment) => isStray(segment) && isStray(segment))
    .map((segment) => segmentPath(path, segment));
}

/**
 * A frame that is not ours may be one of our own that was cut short, then or long ago: it goes on from where we were, and
 * not all of it is there. One of another journal says something else, or is whole; and there is nothing of ours.
 */
function isOfAnother(bytes: Buffer, { head, seed }: Whose): boolean {
  const claimed = headAt(bytes, 0);
  if (claimed === undefined || findFrame(bytes, { after: 0, seed }) !== undefined) return false;
  return claimed.first > head + 1 || isWhole(bytes);
}

/** What stands where a database and its log should be, and cannot be that; asked before anything is made there. */
export function misplaced(path: string): string | undefined {
  try {
    const database = statSync(path, { throwIfNoEntry: false });
    if (database?.isDirectory() === true) return 'it is a directory';
    for (const segment of segmentsOf(path)) {
      const file = segmentPath(path, segment);
      if (statSync(file).isDirectory()) return `${file} is a directory, where its log would be: move it away`;
      if (database?.size === 0 && beginsFrame(readSegment(path, { segment, from: 0, to: HEAD_BYTES }))) {
        return `it is empty, and its log is not, ${file}: put the database there that it belongs to, or move both or neither`;
      }
    }
    return undefined;
  } catch (error) {
    return `its log: ${wordsFor(error)}`;
  }
}
