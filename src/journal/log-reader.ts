// Reading a log: what a server that ended without warning left, what the database is to be given, what a copy lacks.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { type Frame, HEAD_BYTES, readFrame } from './frame.ts';
import { segmentPath, segmentsOf } from './segment.ts';
import type { Range } from './wire.ts';

/** The part of a segment, or all of it; what is not there is left out. */
export function readSegment(
  path: string,
  { segment, from, to }: Range | (Partial<Range> & { segment: number }),
): Buffer {
  const file = openSync(segmentPath(path, segment), 'r');
  try {
    const start = from ?? 0;
    const bytes = Buffer.allocUnsafe(Math.max(0, (to ?? fstatSync(file).size) - start));
    let length = 0;
    for (let got = -1; got !== 0 && length < bytes.length; length += got) {
      got = readSync(file, bytes, length, bytes.length - length, start + length);
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(file);
  }
}

/** The frames from the beginning on that follow one another; what an earlier use of the file left does not. */
export function* framesOf(bytes: Buffer, seed: number): Generator<Frame, undefined> {
  let frame = readFrame(bytes, 0, seed);
  while (frame !== undefined) {
    yield frame;
    const next = readFrame(bytes, frame.end, seed);
    frame = next?.first === frame.first + frame.count ? next : undefined;
  }
}

/** Messages are missing between two frames. */
export class LogGap extends Error {}

/** The last message of a segment; 0 if it holds nothing. */
export function lastOf(bytes: Buffer, seed: number): number {
  let last = 0;
  for (const { first, count } of framesOf(bytes, seed)) last = first + count - 1;
  return last;
}

/** Of all segments the frames with messages after `after`, in order. Throws in words where some are missing between. */
export function* framesAfter(path: string, { after, seed }: { after: number; seed: number }): Generator<Frame> {
  const begun = segmentsOf(path).map((segment) => ({ segment, first: firstOf(path, segment, seed) }));
  let last = after;
  for (const { segment, first } of begun.toSorted((a, b) => a.first - b.first)) {
    if (first === 0) continue;
    for (const frame of framesOf(readSegment(path, { segment }), seed)) {
      const end = frame.first + frame.count - 1;
      if (end <= last) continue;
      if (frame.first > last + 1) {
        throw new LogGap(`its log goes on with message ${frame.first}, and everything before it ends with ${last}`);
      }
      yield frame;
      last = end;
    }
  }
}

/** The id that a segment begins with; 0 if it holds nothing. */
function firstOf(path: string, segment: number, seed: number): number {
  const head = readSegment(path, { segment, from: 0, to: HEAD_BYTES });
  if (head.length < HEAD_BYTES) return 0;
  const length = HEAD_BYTES + head.readUInt32BE(8);
  return readFrame(readSegment(path, { segment, from: 0, to: length }), 0, seed)?.first ?? 0;
}
