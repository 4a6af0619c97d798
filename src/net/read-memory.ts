// What a connection that we have dialled brings, in memory that is used again once nobody needs it. Node would make new
// memory for it, and to clear that away took a fifth of a client's time in bulk.

import type { OnReadOpts, Socket } from 'node:net';
import type { Memory } from '../protocol/native/pump.ts';

/** Four full records of TLS, which are read together (`FULL_RECORD_BYTES`). Four times as much gained nothing. */
const BUFFER_BYTES = 65_536;
/** To copy less than a full record costs less than another buffer, and whoever keeps that keeps nothing else with it. */
const FEW_BYTES = 16_384;
/** Kept for the next reads, 1 MiB: what a stream may bring before it is granted more. The others go to the garbage collector. */
const MAX_FREE = 16;

interface Lent {
  readonly buffer: Buffer;
  /** Bytes that were read into it and that nobody has looked at. */
  unread: number;
  /** Pieces of it that somebody holds. */
  held: number;
  /** It is kept for the next reads: once, or two of them would fill the same bytes. */
  isFree: boolean;
}

const memories = new WeakMap<Socket, ReadMemory>();

/** Where what the socket brings lies; undefined: in memory of Node's. */
export function memoryOf(socket: Socket): Memory | undefined {
  return memories.get(socket);
}

export class ReadMemory implements Memory {
  readonly #lent = new WeakMap<ArrayBufferLike, Lent>();
  readonly #free: Lent[] = [];
  #current = this.#make();
  #at = 0;
  #socket: Socket | undefined;

  /** For `connect`. What is read goes through the socket's own stream, as it does without, so that whoever pauses it does. */
  readonly onread: OnReadOpts = {
    buffer: () => this.#current.buffer.subarray(this.#at),
    callback: (count) => this.#socket?.push(this.#take(count)) ?? false,
  };

  /** To be called at once with the socket that reads so. */
  serve<Kind extends Socket>(socket: Kind): Kind {
    this.#socket = socket;
    memories.set(socket, this);
    return socket;
  }

  hold(bytes: Uint8Array): (() => void) | undefined {
    const lent = this.#lent.get(bytes.buffer);
    if (lent === undefined) return undefined;
    lent.held += 1;
    this.#unfree(lent);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      lent.held -= 1;
      this.#reuse(lent);
    };
  }

  read(bytes: Uint8Array): void {
    const lent = this.#lent.get(bytes.buffer);
    if (lent === undefined) return;
    lent.unread -= bytes.length;
    this.#reuse(lent);
  }

  #take(count: number): Uint8Array {
    const { buffer } = this.#current;
    const bytes = buffer.subarray(this.#at, this.#at + count);
    if (count < FEW_BYTES) return Buffer.from(bytes);
    this.#current.unread += count;
    this.#at += count;
    if (buffer.length - this.#at < FEW_BYTES) {
      this.#current = this.#next();
      this.#at = 0;
    }
    return bytes;
  }

  #next(): Lent {
    const lent = this.#free.pop() ?? this.#make();
    lent.isFree = false;
    return lent;
  }

  #make(): Lent {
    const lent = { buffer: Buffer.allocUnsafeSlow(BUFFER_BYTES), unread: 0, held: 0, isFree: false };
    this.#lent.set(lent.buffer.buffer, lent);
    return lent;
  }

  #reuse(lent: Lent): void {
    if (lent === this.#current || lent.isFree || lent.unread > 0 || lent.held > 0) return;
    if (this.#free.length === MAX_FREE) return;
    lent.isFree = true;
    this.#free.push(lent);
  }

  /** Somebody who has read all of it holds a piece after all. */
  #unfree(lent: Lent): void {
    if (!lent.isFree) return;
    lent.isFree = false;
    this.#free.splice(this.#free.indexOf(lent), 1);
  }
}
