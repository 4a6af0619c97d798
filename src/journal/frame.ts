// What the log is made of: a frame is all that was made durable at once. It is whole or it is not there: a checksum over
// all of it tells one that was cut short, was left by an earlier use of the file, or belongs to another journal.
//
//   0  magic "PLf2"     4  CRC-32 of what follows, begun with that of the journal's identity
//   8  length in bytes of the messages     12  how many they are     16  id of the first one, a double
//   24 CRC-32 of the journal's identity     28  how many of the messages have a resend key
//   32 the messages, as packed.ts has them
//
// All numbers are big-endian. The ids of a frame are consecutive, and so are the frames of a log. Frames of an older program
// begin with "PLf1", have nothing at 24 and 28, and from 24 on the messages as a JSON array of `PackedMessage`s, UTF-8.

import { crc32 } from 'node:zlib';
import { type Packed, unpack } from './packed.ts';
import type { PackedMessage } from './wire.ts';

const MAGIC = 0x504c_6632;
const JSON_MAGIC = 0x504c_6631;
/** What both begin with. */
const MAGIC_TEXT = 'PLf';
const FIRST_AT = 16;
const CHECKED_FROM = 8;
/** In JSON: after the recipients a list of strings. In a text the quote would be escaped. */
const BEFORE_A_KEY = '],["';
const SEED_AT = 24;
const KEYED_AT = 28;
/** Of this the ids are known, in a frame of either form. */
const LEAST_HEAD_BYTES = 24;
export const HEAD_BYTES = 32;
/** Messages that one frame may hold at most: a head that says more says nothing. */
export const MAX_FRAME_MESSAGES = 5_000;

export interface Frame {
  /** Id of the first message. */
  readonly first: number;
  readonly count: number;
  /** How many of them have a resend key; undefined: they are JSON, and were not counted. */
  readonly keyed: number | undefined;
  /** Not read yet. */
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

/** Writes the head of a frame before its messages. */
export function sealFrame({ count, keyed, bytes }: Packed, { first, seed }: { first: number; seed: number }): void {
  bytes.writeUInt32BE(MAGIC, 0);
  bytes.writeUInt32BE(bytes.length - HEAD_BYTES, 8);
  bytes.writeUInt32BE(count, 12);
  bytes.writeDoubleBE(first, FIRST_AT);
  bytes.writeUInt32BE(seed, SEED_AT);
  bytes.writeUInt32BE(keyed, KEYED_AT);
  bytes.writeUInt32BE(crc32(bytes.subarray(CHECKED_FROM), seed), 4);
}

/** How long a head is that begins so; undefined where none does. */
function headBytesAt(bytes: Buffer, at: number): number | undefined {
  if (at + LEAST_HEAD_BYTES > bytes.length) return undefined;
  const magic = bytes.readUInt32BE(at);
  if (magic === JSON_MAGIC) return LEAST_HEAD_BYTES;
  return magic === MAGIC && at + HEAD_BYTES <= bytes.length ? HEAD_BYTES : undefined;
}

/** The frame that begins at `at`; undefined if there is none, or none that is whole. */
export function readFrame(bytes: Buffer, at: number, seed: number): Frame | undefined {
  const headBytes = headBytesAt(bytes, at);
  if (headBytes === undefined) return undefined;
  const start = at + headBytes;
  const end = start + bytes.readUInt32BE(at + 8);
  if (end > bytes.length) return undefined;
  if (crc32(bytes.subarray(at + CHECKED_FROM, end), seed) !== bytes.readUInt32BE(at + 4)) return undefined;
  const [first, count] = [bytes.readDoubleBE(at + FIRST_AT), bytes.readUInt32BE(at + 12)];
  const keyed = headBytes === HEAD_BYTES ? bytes.readUInt32BE(at + KEYED_AT) : undefined;
  return { first, count, keyed, messages: bytes.subarray(start, end), at, end };
}

interface Sought {
  readonly after: number;
  readonly seed: number;
  readonly from?: number;
}

/** A frame that is whole and begins behind message `after`, wherever it stands from byte `from` on. */
export function findFrame(bytes: Buffer, { after, seed, from = 0 }: Sought): Frame | undefined {
  for (let at = bytes.indexOf(MAGIC_TEXT, from); at !== -1; at = bytes.indexOf(MAGIC_TEXT, at + 1)) {
    const isLater = at + LEAST_HEAD_BYTES <= bytes.length && bytes.readDoubleBE(at + FIRST_AT) > after;
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
  if (headBytesAt(bytes, at) === undefined) return undefined;
  const first = bytes.readDoubleBE(at + FIRST_AT);
  const count = bytes.readUInt32BE(at + 12);
  return Number.isSafeInteger(first) && first > 0 && count > 0 ? { first, last: first + count - 1 } : undefined;
}

/**
 * What begins at `at`, though its end may be missing: where it would end, and the first message if that much is there;
 * undefined where it begins otherwise.
 */
export function claimAt(bytes: Buffer, at: number): { end: number; first: number | undefined } | undefined {
  const start = bytes.toString('latin1', at, at + MAGIC_TEXT.length);
  if (start === '' || !MAGIC_TEXT.startsWith(start)) return undefined;
  const headBytes = headBytesAt(bytes, at);
  if (headBytes === undefined) return { end: at + HEAD_BYTES, first: undefined };
  return { end: at + headBytes + bytes.readUInt32BE(at + 8), first: headAt(bytes, at)?.first };
}

/** Whether one of its messages may have a resend key. */
export function mayHaveKeys({ keyed, messages }: Frame): boolean {
  return keyed === undefined ? messages.includes(BEFORE_A_KEY) : keyed > 0;
}

export function messagesOf({ keyed, messages, count }: Frame): PackedMessage[] {
  if (keyed !== undefined) return unpack(messages, count);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the checksum says that the log wrote it
  return JSON.parse(messages.toString()) as PackedMessage[];
}

/** Whether a frame begins there, whole or not, and whosever it is. */
export function beginsFrame(bytes: Buffer): boolean {
  return headBytesAt(bytes, 0) !== undefined;
}

/** Whether the frame that begins there is whole, whosever it is. */
export function isWhole(bytes: Buffer): boolean {
  const headBytes = headBytesAt(bytes, 0);
  if (headBytes === undefined) return false;
  if (headBytes === HEAD_BYTES) return readFrame(bytes, 0, bytes.readUInt32BE(SEED_AT)) !== undefined;
  const end = LEAST_HEAD_BYTES + bytes.readUInt32BE(8);
  return isList(bytes.toString('utf8', LEAST_HEAD_BYTES, end), bytes.readUInt32BE(12));
}

function isList(json: string, count: number): boolean {
  try {
    const list: unknown = JSON.parse(json);
    return Array.isArray(list) && list.length === count;
  } catch {
    return false;
  }
}
