// Reads a spool from a position on, and goes on as it grows: tagged pieces, and a position wherever something is missing.
// It reads when it is asked to, and the spool waits for none of its readers.

import { open, type FileHandle } from 'node:fs/promises';
import { ListenedSource } from '../core/run/listened.ts';
import { encodePosition, TaggedDecoder, taggedHeader } from '../protocol/native/tagged.ts';
import type { Segment, Spool } from './spool.ts';

/** Of one read. */
const READ_BYTES = 65_536;

interface Reading {
  readonly segment: Segment;
  readonly file: FileHandle;
  readonly decoder: TaggedDecoder;
  /** In the file. */
  offset: number;
  /** Of what comes next in it. */
  position: number;
  /** Somebody has cut it, or written to it. */
  isBroken: boolean;
}

export class SpoolReader extends ListenedSource {
  readonly #spool: Spool;
  readonly #unfollow: () => void;
  readonly #onOver: () => void;
  /** Everything before it was given, or was not wanted. */
  #position: number;
  #hasBegun = false;
  #reading: Reading | undefined;
  #isWanted = false;
  #isBusy = false;
  /** Grows with each call to go on: one that comes while it looks for more is not lost. */
  #calls = 0;
  #isOpen = true;
  /** Read when nobody wanted it any more. */
  #held: Uint8Array | undefined;

  /** A position that is not there yet is the end as it is now. `onOver` is called once: it reads no more. */
  constructor(spool: Spool, from: number | 'end', onOver: () => void = () => {}) {
    super();
    this.#spool = spool;
    this.#onOver = onOver;
    this.#position = from === 'end' ? spool.end : Math.min(from, spool.end);
    this.#unfollow = spool.follow(() => this.#goOn());
  }

  pause(): void {
    this.#isWanted = false;
  }

  resume(): void {
    this.#isWanted = true;
    this.#goOn();
  }

  cancel(): void {
    this.#end();
  }

  #goOn(): void {
    this.#calls += 1;
    if (!this.#isBusy) void this.#pass();
  }

  async #pass(): Promise<void> {
    this.#isBusy = true;
    while (this.#isWanted && this.#isOpen) {
      const calls = this.#calls;
      const chunk = this.#held ?? (await this.#next());
      this.#held = undefined;
      if (chunk === 'nothing-yet') {
        if (calls === this.#calls) break;
        continue;
      }
      if (chunk === 'end') this.#end();
      else if (this.#isWanted && this.#isOpen) this.tellData(chunk);
      else this.#held = chunk;
    }
    this.#isBusy = false;
    if (!this.#isOpen) await this.#close();
  }

  #end(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#unfollow();
    this.#onOver();
    if (!this.#isBusy) void this.#close();
    this.tellEnd();
  }

  async #close(): Promise<void> {
    const reading = this.#reading;
    this.#reading = undefined;
    await reading?.file.close().catch(() => {});
  }

  async #next(): Promise<Uint8Array | 'nothing-yet' | 'end'> {
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      return encodePosition(this.#position);
    }
    for (;;) {
      const reading = this.#reading;
      const chunk = reading === undefined ? new Uint8Array(0) : await this.#read(reading);
      if (chunk.length > 0) return chunk;
      const { end, hasEnded } = this.#spool;
      const next = this.#spool.segmentAfter(this.#position);
      if (next === undefined) {
        if (!hasEnded) return 'nothing-yet';
        return this.#position < end ? this.#leap(end) : 'end';
      }
      if (next.start > this.#position) return this.#leap(next.start);
      if (next === reading?.segment && !reading.isBroken) continue;
      // One that is gone from under us is missing.
      if (next === reading?.segment || !(await this.#open(next))) return this.#leap(next.end);
    }
  }

  /** What lies between is missing. */
  #leap(position: number): Uint8Array {
    this.#position = position;
    return encodePosition(position);
  }

  async #open(segment: Segment): Promise<boolean> {
    await this.#close();
    try {
      const file = await open(segment.path, 'r');
      this.#reading = {
        segment,
        file,
        decoder: new TaggedDecoder(),
        offset: 0,
        position: segment.start,
        isBroken: false,
      };
      return true;
    } catch {
      return false;
    }
  }

  /** Nothing, if there is nothing more in this file by now. */
  async #read(reading: Reading): Promise<Uint8Array> {
    const { file, segment, decoder } = reading;
    while (reading.offset < segment.fileBytes && !reading.isBroken) {
      const length = Math.min(READ_BYTES, segment.fileBytes - reading.offset);
      const bytes = await readAt(file, reading.offset, length);
      reading.offset += bytes.length;
      const pieces = decoder.receive(bytes);
      reading.isBroken = bytes.length === 0 || pieces === undefined;
      const wanted: Uint8Array[] = [];
      for (const piece of pieces ?? []) {
        if (piece.type === 'position') continue;
        const fresh = piece.bytes.subarray(Math.max(0, this.#position - reading.position));
        reading.position += piece.bytes.length;
        if (fresh.length > 0) wanted.push(taggedHeader(piece.type, fresh.length), fresh);
      }
      this.#position = Math.max(this.#position, reading.position);
      if (wanted.length > 0) return Buffer.concat(wanted);
    }
    return new Uint8Array(0);
  }
}

/** Nothing: somebody has cut the file, or the disk does not give it back. */
async function readAt(file: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  try {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, offset);
    return buffer.subarray(0, bytesRead);
  } catch {
    return new Uint8Array(0);
  }
}
