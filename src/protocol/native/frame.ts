// Frames, the unit of everything after the preface: eight bytes of header, then the payload. On a byte stream they
// follow one another; on a transport that keeps messages apart (a WebSocket) one message is one frame.
//
//   u24 length of the payload | u8 kind | u32 stream        (big endian)

import { MAX_CONTROL_BYTES, MAX_DATA_BYTES } from './limits.ts';

export const HEADER_BYTES = 8;

export type Frame =
  /** One JSON-RPC 2.0 message. Always on stream 0. `encoded`: its bytes, where many get the same. */
  | { kind: 'control'; text: string; encoded?: Uint8Array }
  /** `done`: to be called when the bytes are out, here. */
  | { kind: 'data'; stream: number; bytes: Uint8Array; done?: () => void }
  /** The sender will send no more on this stream; the other direction goes on. */
  | { kind: 'end'; stream: number }
  /** The receiver of this frame may send so many bytes more. */
  | { kind: 'credit'; stream: number; bytes: number }
  /** The sender of this frame wants no more of what comes on this stream. */
  | { kind: 'reset'; stream: number };

/** The other end broke the rules of the wire; there is no way to go on from there. */
export interface Malformed {
  readonly kind: 'malformed';
  readonly reason: string;
}

const NUMBER_OF = { control: 1, data: 2, end: 3, credit: 4, reset: 5 } as const satisfies Record<Frame['kind'], number>;
const KIND_OF = new Map<number, Frame['kind']>([
  [1, 'control'],
  [2, 'data'],
  [3, 'end'],
  [4, 'credit'],
  [5, 'reset'],
]);

/** Below this many bytes a frame is sent as one piece: a copy costs less than a second entry in the socket's queue. */
const JOIN_BYTES = 1_024;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The bytes of a frame, in one or two pieces; the payload of DATA is not copied unless it is short. */
export function formatFrame(frame: Frame): Uint8Array[] {
  if (frame.kind === 'control' && frame.encoded !== undefined) return [frame.encoded];
  const payload = payloadOf(frame);
  const whole = payload.length < JOIN_BYTES;
  const header = new Uint8Array(whole ? HEADER_BYTES + payload.length : HEADER_BYTES);
  const stream = frame.kind === 'control' ? 0 : frame.stream;
  writeU32(header, 0, payload.length * 256 + NUMBER_OF[frame.kind]);
  writeU32(header, 4, stream);
  if (!whole) return [header, payload];
  header.set(payload, HEADER_BYTES);
  return [header];
}

/** The bytes of a frame in one piece: to be shared, or sent as one message. */
export function encodeFrame(frame: Frame): Uint8Array {
  const pieces = formatFrame(frame);
  const [first] = pieces;
  if (first !== undefined && pieces.length === 1) return first;
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function payloadOf(frame: Frame): Uint8Array {
  if (frame.kind === 'control') return encoder.encode(frame.text);
  if (frame.kind === 'data') return frame.bytes;
  const payload = new Uint8Array(frame.kind === 'credit' ? 4 : 0);
  if (frame.kind === 'credit') writeU32(payload, 0, frame.bytes);
  return payload;
}

export interface Header {
  readonly kind: Frame['kind'];
  readonly length: number;
  readonly stream: number;
}

/** Judges a header before a byte of its payload is kept. */
export function parseHeader(bytes: Uint8Array, maxControlBytes: number): Header | Malformed {
  const length = readU32(bytes, 0) >>> 8;
  const stream = readU32(bytes, 4);
  const kind = KIND_OF.get(bytes[3] ?? 0);
  if (kind === undefined) return malformed(`a frame of unknown kind ${bytes[3]}`);
  if ((kind === 'control') !== (stream === 0)) return malformed(`${kind} on stream ${stream}`);
  const allowed = { control: maxControlBytes, data: MAX_DATA_BYTES, end: 0, credit: 4, reset: 0 }[kind];
  if (length > allowed) return malformed(`${kind} with ${length} bytes of payload where ${allowed} are the most`);
  if (length === 0 && (kind === 'control' || kind === 'data')) return malformed(`${kind} without a payload`);
  if (kind === 'credit' && length !== 4) return malformed(`credit with ${length} bytes of payload instead of 4`);
  return { kind, length, stream };
}

export function parsePayload({ kind, stream }: Header, payload: Uint8Array): Frame | Malformed {
  if (kind === 'control') {
    const text = decode(payload);
    return text === undefined ? malformed('control that is not UTF-8') : { kind, text };
  }
  if (kind === 'data') return { kind, stream, bytes: payload };
  if (kind !== 'credit') return { kind, stream };
  const bytes = readU32(payload, 0);
  return bytes === 0 ? malformed('credit of no bytes') : { kind, stream, bytes };
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** One frame that arrived as one message. */
export function parseFrame(message: Uint8Array, maxControlBytes = MAX_CONTROL_BYTES): Frame | Malformed {
  if (message.length < HEADER_BYTES) return malformed(`a message of ${message.length} bytes, shorter than a header`);
  const header = parseHeader(message, maxControlBytes);
  if (header.kind === 'malformed') return header;
  const payload = message.subarray(HEADER_BYTES);
  if (payload.length !== header.length) {
    return malformed(`a message with ${payload.length} bytes of payload whose header says ${header.length}`);
  }
  return parsePayload(header, payload);
}

export function malformed(reason: string): Malformed {
  return { kind: 'malformed', reason };
}

function readU32(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}

function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
