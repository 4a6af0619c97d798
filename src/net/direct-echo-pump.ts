// The fast echo for plain TCP: every connection reads into a buffer of its own that is used again and again, and is
// written from there, with no stream, copy or allocation in between. The next read waits until the last write is done,
// so the bytes under way are never overwritten. Why, and what it leans on: docs/decisions/0005-echo-reads.md.

import { Socket } from 'node:net';
import { BulkBuffers } from './bulk-buffers.ts';
import type { EchoPump, EchoPumpOptions } from './echo-pump.ts';

/** Holds what a person types, and a full Ethernet frame; whoever fills it gets a bulk buffer. */
const SMALL_BYTES = 2_048;

/** The part of Node's TCP handle that is used here. Undocumented. */
interface TcpHandle {
  /** 0: all is written; another number: an error; an object: the rest is under way. */
  writeBuffer(request: null, data: Uint8Array): number | WriteRequest;
}

interface WriteRequest {
  oncomplete: (status: number) => void;
  /** Not null if it completed before `oncomplete` could be set. */
  writeStatus: number | null;
  /** Keeps the bytes alive. */
  buffer: Uint8Array;
}

type DirectSocket = Socket & { _handle: TcpHandle | null };

const EMPTY: Uint8Array = new Uint8Array();
const bulkBuffers = new BulkBuffers();

/** The first argument of `writeBuffer` means something else in earlier Node versions; later ones are not known yet. */
const KNOWN_NODE_MAJOR = '26';

export function hasDirectHandle(socket: Socket): socket is DirectSocket {
  const handle = '_handle' in socket ? socket._handle : undefined;
  return (
    typeof handle === 'object' &&
    process.versions.node.split('.')[0] === KNOWN_NODE_MAJOR &&
    handle?.constructor.name === 'TCP' &&
    'writeBuffer' in handle &&
    'useUserBuffer' in handle
  );
}

export class DirectEchoPump implements EchoPump {
  /** As it was accepted. Its handle moves to `#socket`; it ends when that one does, for those who count connections. */
  readonly #accepted: DirectSocket;
  readonly #onChunk: ((chunk: Uint8Array) => void) | undefined;
  readonly #onClosed: () => void;
  readonly #small: Uint8Array = Buffer.allocUnsafe(SMALL_BYTES);
  #socket: Socket | undefined;
  #handle: TcpHandle | undefined;
  /** Where reads go, and from the next read on. */
  #buffer: Uint8Array = this.#small;
  #next: Uint8Array | undefined = this.#small;
  /** The part of `#buffer` that the last read filled: messages of one size share one view. */
  #view: Uint8Array = this.#small;
  #isFinishing = false;

  constructor(accepted: DirectSocket, { first, answer, onChunk, onClosed }: EchoPumpOptions) {
    this.#accepted = accepted;
    this.#onChunk = onChunk;
    this.#onClosed = onClosed;
    accepted.on('error', () => {});
    accepted.on('close', () => this.#onAcceptedClosed());
    // Whoever looked at the first bytes may still be inside a read of this very handle.
    process.nextTick(() => this.#takeOver(first, answer));
  }

  finish(): void {
    this.#isFinishing = true;
    this.#socket?.end();
    this.#socket?.resume();
  }

  destroy(): void {
    this.#accepted.destroy();
  }

  #takeOver(first: Uint8Array, answer = EMPTY): void {
    const handle = this.#accepted._handle;
    if (handle === null || this.#accepted.destroyed) return;
    const rest: Uint8Array = this.#accepted.readableLength > 0 ? this.#accepted.read() : EMPTY;
    this.#accepted._handle = null;
    const onread = { buffer: () => this.#nextBuffer(), callback: (length: number) => this.#onRead(length) };
    const options: object = { handle, allowHalfOpen: true, onread };
    const socket = new Socket(options);
    this.#socket = socket;
    this.#handle = handle;
    socket.on('error', () => {}); // 'close' follows and says all there is to say
    socket.on('close', () => this.#onSocketClosed());
    socket.on('end', () => socket.end());
    if (this.#isFinishing) return this.finish();
    socket.pause();
    if (first.length > 0) this.#onChunk?.(first);
    if (rest.length > 0) this.#onChunk?.(rest);
    const begin = Buffer.concat([answer, first, rest]);
    if (begin.length === 0 || this.#write(begin)) socket.resume();
  }

  /** Node asks after every read; undefined: the same again. */
  #nextBuffer(): Uint8Array | undefined {
    const next = this.#next;
    if (next === undefined) return undefined;
    this.#next = undefined;
    this.#buffer = next;
    this.#view = next;
    return next;
  }

  /** False: read no more until told. */
  #onRead(length: number): boolean {
    if (this.#isFinishing) return true;
    const buffer = this.#buffer;
    if (this.#view.length !== length) this.#view = buffer.subarray(0, length);
    this.#onChunk?.(this.#view);
    const isWritten = this.#write(this.#view);
    if (buffer === this.#small) {
      if (length === SMALL_BYTES) this.#next = bulkBuffers.take();
    } else if (length < SMALL_BYTES && isWritten) {
      bulkBuffers.give(buffer);
      this.#next = this.#small;
    }
    return isWritten;
  }

  /** False: the bytes are under way, reading goes on when they are written. */
  #write(bytes: Uint8Array): boolean {
    const result = this.#handle?.writeBuffer(null, bytes);
    if (result === 0) return true;
    if (typeof result !== 'object') {
      this.destroy();
      return false;
    }
    if (result.writeStatus !== null) {
      if (result.writeStatus < 0) this.destroy();
      return result.writeStatus >= 0;
    }
    result.buffer = bytes;
    result.oncomplete = (status) => this.#onWritten(status);
    return false;
  }

  #onWritten(status: number): void {
    if (status < 0) this.destroy();
    else if (!this.#accepted.destroyed) this.#socket?.resume();
  }

  #onAcceptedClosed(): void {
    if (this.#socket === undefined) this.#onClosed();
    else this.#socket.destroy();
  }

  #onSocketClosed(): void {
    if (this.#buffer !== this.#small) bulkBuffers.give(this.#buffer);
    this.#buffer = this.#small;
    this.#accepted.destroy();
    this.#onClosed();
  }
}
