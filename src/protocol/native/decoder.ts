// Bytes of a stream ⇄ frames: however the bytes were cut on their way, the frames come out the same. The payload of a DATA
// frame is handed on as it comes, each piece as a frame of its own, which means the same: nobody waits for the rest, and
// nothing is copied together.

import { HEADER_BYTES, parseHeader, parsePayload, type Frame, type Header, type Malformed } from './frame.ts';

export class FrameDecoder {
  /** What `receive` brought and `next` has not looked at. One chunk as a rule: who receives drains. */
  readonly #chunks: Uint8Array[] = [];
  readonly #headerBytes = new Uint8Array(HEADER_BYTES);
  #headerFilled = 0;
  #header: Header | undefined;
  /** Of the payload of a DATA frame, what has not come yet. */
  #dataLeft = 0;
  #payload: Uint8Array | undefined;
  #payloadFilled = 0;
  #failure: Malformed | undefined;
  /** May be raised while the connection lives, once the other end has shown who it is. */
  maxControlBytes: number;

  constructor(maxControlBytes: number) {
    this.maxControlBytes = maxControlBytes;
  }

  receive(chunk: Uint8Array): void {
    if (chunk.length > 0 && this.#failure === undefined) this.#chunks.push(chunk);
  }

  get isDry(): boolean {
    return this.#chunks.length === 0;
  }

  /** The next whole frame; undefined until more bytes have come. After `malformed` nothing else ever comes. */
  next(): Frame | Malformed | undefined {
    if (this.#failure !== undefined) return this.#failure;
    const header = this.#header ?? this.#readHeader();
    if (header === undefined) return undefined;
    if (header.kind === 'malformed') return this.#fail(header);
    this.#header = header;
    if (header.kind === 'data') return this.#readData(header);
    const payload = this.#readPayload(header.length);
    if (payload === undefined) return undefined;
    this.#header = undefined;
    const frame = parsePayload(header, payload);
    return frame.kind === 'malformed' ? this.#fail(frame) : frame;
  }

  #fail(failure: Malformed): Malformed {
    this.#chunks.length = 0;
    this.#failure = failure;
    return failure;
  }

  #readHeader(): Header | Malformed | undefined {
    this.#headerFilled += this.#fill(this.#headerBytes, this.#headerFilled);
    if (this.#headerFilled < HEADER_BYTES) return undefined;
    this.#headerFilled = 0;
    return parseHeader(this.#headerBytes, this.maxControlBytes);
  }

  #readData(header: Header): Frame | undefined {
    const first = this.#chunks[0];
    if (first === undefined) return undefined;
    const missing = this.#dataLeft > 0 ? this.#dataLeft : header.length;
    const bytes = this.#takeFrom(first, Math.min(missing, first.length));
    this.#dataLeft = missing - bytes.length;
    if (this.#dataLeft === 0) this.#header = undefined;
    return { kind: 'data', stream: header.stream, bytes };
  }

  /** A payload that lies whole in one chunk is a view of it; only one that was cut is copied together. */
  #readPayload(length: number): Uint8Array | undefined {
    const first = this.#chunks[0];
    if (this.#payload === undefined && (first?.length ?? 0) >= length) {
      return first === undefined ? new Uint8Array(0) : this.#takeFrom(first, length);
    }
    const payload = (this.#payload ??= new Uint8Array(length));
    this.#payloadFilled += this.#fill(payload, this.#payloadFilled);
    if (this.#payloadFilled < length) return undefined;
    this.#payload = undefined;
    this.#payloadFilled = 0;
    return payload;
  }

  #fill(target: Uint8Array, from: number): number {
    let filled = 0;
    for (;;) {
      const chunk = this.#chunks[0];
      const missing = target.length - from - filled;
      if (chunk === undefined || missing === 0) return filled;
      const piece = this.#takeFrom(chunk, Math.min(missing, chunk.length));
      target.set(piece, from + filled);
      filled += piece.length;
    }
  }

  #takeFrom(chunk: Uint8Array, count: number): Uint8Array {
    if (count === chunk.length) this.#chunks.shift();
    else this.#chunks[0] = chunk.subarray(count);
    return chunk.subarray(0, count);
  }
}
