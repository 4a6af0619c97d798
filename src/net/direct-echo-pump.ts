// The fast echo for plain TCP. Reads of all connections go into one shared buffer: a short message is copied from there
// into the batch of this turn of the event loop. Whoever streams gets a large buffer, and is written straight from it.
// There is no stream in between. While a write is not done, nothing is read, so bytes under way are never overwritten.
// Why, and what it leans on: docs/decisions/0005-echo-reads.md.

import { Socket } from 'node:net';
import { BulkBuffers } from './bulk-buffers.ts';
import type { EchoPump, EchoPumpOptions } from './echo-pump.ts';
import { MAX_SHORT_BYTES, TurnBatch, type BatchTarget } from './turn-batch.ts';

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
/** Empty again when a read has been dealt with, whosoever it was. */
const shared = Buffer.allocUnsafeSlow(64 * 1_024);
const batch = new TurnBatch();
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

export class DirectEchoPump implements EchoPump, BatchTarget {
  /** As it was accepted. Its handle moves to `#socket`; it ends when that one does, for those who count connections. */
  readonly #accepted: DirectSocket;
  readonly #onChunk: ((chunk: Uint8Array) => void) | undefined;
  readonly #onClosed: () => void;
  #socket: Socket | undefined;
  #handle: TcpHandle | undefined;
  /** Where the reads of a stream go; undefined: into the shared buffer. */
  #bulk: Buffer | undefined;
  /** Until Node has been told where reads go. */
  #isBufferNew = true;
  #writesUnderWay = 0;
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
    batch.flush();
    this.#isFinishing = true;
    this.#socket?.end();
    this.#socket?.resume();
  }

  destroy(): void {
    this.#accepted.destroy();
  }

  /** Called by the batch. */
  send(bytes: Uint8Array): boolean {
    if (this.#write(bytes)) return true;
    this.#socket?.pause();
    return false;
  }

  #takeOver(first: Uint8Array, answer = EMPTY): void {
    const handle = this.#accepted._handle;
    if (handle === null || this.#accepted.destroyed) return;
    const rest: Uint8Array = this.#accepted.readableLength > 0 ? this.#accepted.read() : EMPTY;
    this.#accepted._handle = null;
    const onread = { buffer: () => this.#newBuffer(), callback: (length: number) => this.#onRead(length) };
    const options: object = { handle, allowHalfOpen: true, onread };
    const socket = new Socket(options);
    this.#socket = socket;
    this.#handle = handle;
    socket.on('error', () => {}); // 'close' follows and says all there is to say
    socket.on('close', () => this.#onSocketClosed());
    socket.on('end', () => this.finish());
    if (this.#isFinishing) return this.finish();
    socket.pause();
    if (first.length > 0) this.#onChunk?.(first);
    if (rest.length > 0) this.#onChunk?.(rest);
    const begin = Buffer.concat([answer, first, rest]);
    if (begin.length > 0) this.#write(begin);
    if (this.#writesUnderWay === 0) socket.resume();
  }

  /** Node asks after every read; undefined: the same again. */
  #newBuffer(): Uint8Array | undefined {
    if (!this.#isBufferNew) return undefined;
    this.#isBufferNew = false;
    return this.#bulk ?? shared;
  }

  /** False: read no more until told. */
  #onRead(length: number): boolean {
    if (this.#isFinishing) return true;
    if (this.#bulk === undefined && length <= MAX_SHORT_BYTES) {
      const message = batch.add(this, shared, length);
      this.#onChunk?.(message);
      return true;
    }
    // What this connection has in the batch comes first. A part of the shared buffer cannot be left under way.
    if (this.#bulk === undefined) batch.flush();
    const bytes = this.#bulk?.subarray(0, length) ?? Buffer.from(shared.subarray(0, length));
    this.#onChunk?.(bytes);
    this.#write(bytes);
    if (this.#bulk === undefined) this.#enterBulk();
    else if (length <= MAX_SHORT_BYTES && this.#writesUnderWay === 0) this.#leaveBulk();
    return this.#writesUnderWay === 0;
  }

  #enterBulk(): void {
    this.#bulk = bulkBuffers.take();
    this.#isBufferNew = this.#bulk !== undefined;
  }

  /** No write may be under way. */
  #leaveBulk(): void {
    if (this.#bulk === undefined) return;
    bulkBuffers.give(this.#bulk);
    this.#bulk = undefined;
    this.#isBufferNew = true;
  }

  /** False: the bytes are under way; reading goes on when they are written. */
  #write(bytes: Uint8Array): boolean {
    const result = this.#handle?.writeBuffer(null, bytes);
    if (result === 0) return true;
    if (typeof result !== 'object' || (result.writeStatus !== null && result.writeStatus < 0)) {
      this.destroy();
      return true;
    }
    if (result.writeStatus !== null) return true;
    this.#writesUnderWay++;
    result.buffer = bytes;
    result.oncomplete = (status) => this.#onWritten(status);
    return false;
  }

  #onWritten(status: number): void {
    this.#writesUnderWay--;
    if (status < 0) this.destroy();
    else if (this.#writesUnderWay === 0 && !this.#accepted.destroyed) this.#socket?.resume();
  }

  #onAcceptedClosed(): void {
    if (this.#socket === undefined) this.#onClosed();
    else this.#socket.destroy();
  }

  #onSocketClosed(): void {
    this.#handle = undefined;
    this.#leaveBulk();
    this.#accepted.destroy();
    this.#onClosed();
  }
}
