// Reading a segment of a log: all of it, or what the database is to be given.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { type Frame, HEAD_BYTES, readFrame } from './frame.ts';
import { segmentPath } from './segment.ts';
import type { Range } from './wire.ts';

/** The part of a segment, or all of it; what is not there is left out. */
export function readSegment(
  path: string,
  { segment, from, to }: Range | (Partial<Range> & { segment: number }),
): Buffer {
  const file = openSync(segmentPath(path, segment), 'r');
  try {
    const start = from ?? 0;
    const { size } = fstatSync(file);
    const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(to ?? size, size) - start));
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

/** The last message of a segment; 0 if it holds nothing. */
export function lastOf(bytes: Buffer, seed: number): number {
  let last = 0;
  for (const { first, count } of framesOf(bytes, seed)) last = first + count - 1;
  return last;
}

/** The id that a segment begins with; 0 if it holds nothing. */
export function firstOf(path: string, segment: number, seed: number): number {
  const head = readSegment(path, { segment, from: 0, to: HEAD_BYTES });
  if (head.length < HEAD_BYTES) return 0;
  const length = HEAD_BYTES + head.readUInt32BE(8);
  return readFrame(readSegment(path, { segment, from: 0, to: length }), 0, seed)?.first ?? 0;
}
