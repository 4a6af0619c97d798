// What the log is made of: a frame is all that was made durable at once. It is whole or it is not there: a checksum over
// all of it tells one that was cut short, was left by an earlier use of the file, or belongs to another journal.
//
//   0  magic "PLf1"     4  CRC-32 of what follows, begun with that of the journal's identity
//   8  length in bytes of the messages     12  how many they are     16  id of the first one, a double
//   24 the messages: a JSON array of `PackedMessage`s, UTF-8
//
// All numbers are big-endian. The ids of a frame are consecutive, and so are the frames of a log.

import { crc32 } from 'node:zlib';
import type { PackedMessage } from './wire.ts';

const MAGIC = 0x504c_6631;
const MAGIC_TEXT = 'PLf1';
const FIRST_AT = 16;
const CHECKED_FROM = 8;
export const HEAD_BYTES = 24;

export interface Frame {
  /** Id of the first message. */
  readonly first: number;
  readonly count: number;
  /** JSON, not parsed yet. */
  readonly messages: Buffer;
  /** Where it begins. */
  readonly at: number;
  /** Where the next one would begin. */
  readonly end: number;
}

/** What checksums begin with: frames of another identity do not check. */
export function seedOf(identity: string): number {
  return crc32(identity);
}

/** Room for a frame of this JSON is at least this many bytes: a UTF-16 unit takes three of UTF-8 at most. */
export function boundOf(json: string): number {
  return HEAD_BYTES + json.length * 3;
}

/** Writes the frame to the beginning of `into`, which has room for it, and returns its length. */
export function writeFrame(into: Buffer, { first, count, json, seed }: NewFrame): number {
  const length = into.write(json, HEAD_BYTES, 'utf8');
  into.writeUInt32BE(MAGIC, 0);
  into.writeUInt32BE(length, 8);
  into.writeUInt32BE(count, 12);
  into.writeDoubleBE(first, FIRST_AT);
  into.writeUInt32BE(crc32(into.subarray(CHECKED_FROM, HEAD_BYTES + length), seed), 4);
  return HEAD_BYTES + length;
}

interface NewFrame {
  readonly first: number;
  readonly count: number;
  readonly json: string;
  readonly seed: number;
}

/** The frame that begins at `at`; undefined if there is none, or none that is whole. */
export function readFrame(bytes: Buffer, at: number, seed: number): Frame | undefined {
  if (at + HEAD_BYTES > bytes.length || bytes.readUInt32BE(at) !== MAGIC) return undefined;
  const start = at + HEAD_BYTES;
  const end = start + bytes.readUInt32BE(at + 8);
  if (end > bytes.length) return undefined;
  if (crc32(bytes.subarray(at + CHECKED_FROM, end), seed) !== bytes.readUInt32BE(at + 4)) return undefined;
  const first = bytes.readDoubleBE(at + FIRST_AT);
  return { first, count: bytes.readUInt32BE(at + 12), messages: bytes.subarray(start, end), at, end };
}

/** A frame that is whole and begins behind message `after`, wherever it stands. */
export function findFrame(bytes: Buffer, { after, seed }: { after: number; seed: number }): Frame | undefined {
  for (let at = bytes.indexOf(MAGIC_TEXT); at !== -1; at = bytes.indexOf(MAGIC_TEXT, at + 1)) {
    const isLater = at + HEAD_BYTES <= bytes.length && bytes.readDoubleBE(at + FIRST_AT) > after;
    const frame = isLater ? readFrame(bytes, at, seed) : undefined;
    if (frame !== undefined) return frame;
  }
  return undefined;
}

/** The first frame that is whole, from `from` on. */
export function nextFrame(bytes: Buffer, from: number, seed: number): Frame | undefined {
  for (let at = from; at !== -1; at = bytes.indexOf(MAGIC_TEXT, at + 1)) {
    const frame = readFrame(bytes, at, seed);
    if (frame !== undefined) return frame;
  }
  return undefined;
}

/** What the head of a frame at `at` says, whole or not; undefined where there is none. */
export function headAt(bytes: Buffer, at: number): { first: number; last: number } | undefined {
  if (at + HEAD_BYTES > bytes.length || bytes.readUInt32BE(at) !== MAGIC) return undefined;
  const first = bytes.readDoubleBE(at + FIRST_AT);
  const count = bytes.readUInt32BE(at + 12);
  return Number.isSafeInteger(first) && first > 0 && count > 0 ? { first, last: first + count - 1 } : undefined;
}

export function messagesOf(frame: Frame): PackedMessage[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the checksum says that the log wrote it
  return JSON.parse(frame.messages.toString()) as PackedMessage[];
}
