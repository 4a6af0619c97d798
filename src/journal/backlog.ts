// What a server that ended left in its log, and the database has not got: found at a start, which does not wait until the
// database has it, and in a copy.

import { findFrame, type Frame } from './frame.ts';
import { firstOf, framesOf, readSegment } from './log-reader.ts';
import { segmentsOf } from './segment.ts';
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

/** `isGap`: messages are missing before a segment; else frames are whole behind one that is not. */
export interface Problem {
  readonly isGap: boolean;
  readonly words: string;
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
  return { head, ranges, lasts, problem: damage(path, { head, seed }) };
}

function gap(first: number, head: number): Problem {
  return { isGap: true, words: `its log goes on with message ${first}, and everything before it ends with ${head}` };
}

/**
 * Nothing is acknowledged behind a frame that is not whole: such a one is the end. Where another one is whole further on, it
 * was whole once, and so was all between.
 */
function damage(path: string, { head, seed }: { head: number; seed: number }): Problem | undefined {
  for (const segment of segmentsOf(path)) {
    const frame = findFrame(readSegment(path, { segment }), { after: head, seed });
    if (frame === undefined) continue;
    const words = `its log is damaged: all up to message ${head} is there, and message ${frame.first} stands behind the damage`;
    return { isGap: false, words };
  }
  return undefined;
}
