// What a record keeps of a stream while its bytes pass: how many they were, their digest, the first and the last of them.
// However much flows, it takes no more than it was told to keep.

import type { KeptOutput, StreamFacts } from './record.ts';

/** SHA-256 as it goes. */
export interface Digest {
  update(bytes: Uint8Array): unknown;
  /** 64 hexadecimal digits; the last call. */
  hex(): string;
}

export class Capture {
  readonly #digest: Digest;
  readonly #head: Grown;
  readonly #tail: Ring;
  #bytes = 0;

  constructor(digest: Digest, keptBytes: number) {
    const half = Math.ceil(keptBytes / 2);
    this.#digest = digest;
    this.#head = new Grown(half);
    this.#tail = new Ring(keptBytes - half);
  }

  add(chunk: Uint8Array): void {
    this.#digest.update(chunk);
    this.#bytes += chunk.length;
    const taken = this.#head.add(chunk);
    if (taken < chunk.length) this.#tail.add(chunk.subarray(taken));
  }

  /** Nothing follows. */
  finish(): StreamFacts & KeptOutput {
    return { bytes: this.#bytes, sha256: this.#digest.hex(), head: this.#head.take(), tail: this.#tail.take() };
  }
}

/** Bytes at least that are asked of memory at once. */
const FIRST_BYTES = 1_024;

/** The first so many bytes; most commands say few. */
class Grown {
  readonly #max: number;
  #bytes = new Uint8Array(0);
  #length = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** How many of them there was room for. */
  add(chunk: Uint8Array): number {
    const count = Math.min(chunk.length, this.#max - this.#length);
    if (count <= 0) return 0;
    this.#growTo(this.#length + count);
    this.#bytes.set(chunk.subarray(0, count), this.#length);
    this.#length += count;
    return count;
  }

  #growTo(length: number): void {
    if (length <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.min(this.#max, Math.max(length, this.#bytes.length * 2, FIRST_BYTES)));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }

  take(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}

/** The last so many bytes. */
class Ring {
  readonly #max: number;
  #bytes = new Uint8Array(0);
  /** Where the next byte goes. */
  #at = 0;
  #isFull = false;

  constructor(max: number) {
    this.#max = max;
  }

  add(chunk: Uint8Array): void {
    if (this.#max === 0) return;
    if (this.#bytes.length === 0) this.#bytes = new Uint8Array(this.#max);
    const last = chunk.subarray(Math.max(0, chunk.length - this.#max));
    const toEnd = Math.min(last.length, this.#max - this.#at);
    this.#bytes.set(last.subarray(0, toEnd), this.#at);
    this.#bytes.set(last.subarray(toEnd), 0);
    this.#isFull ||= this.#at + last.length >= this.#max;
    this.#at = (this.#at + last.length) % this.#max;
  }

  take(): Uint8Array {
    const taken = new Uint8Array(this.#isFull ? this.#max : this.#at);
    const older = this.#isFull ? this.#bytes.subarray(this.#at) : this.#bytes.subarray(0, 0);
    taken.set(older);
    taken.set(this.#bytes.subarray(0, this.#at), older.length);
    return taken;
  }
}
