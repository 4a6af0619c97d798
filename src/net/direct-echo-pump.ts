// The fast echo for plain TCP: a connection reads into buffers of its own that are used again and again, and is written
// from there, with no stream, copy or allocation in between. Short messages of one turn of the event loop are written
// together at its end, which lets the receivers sleep and wake less. Bytes under way are never overwritten: while a
// write is not done, nothing is read. Why, and what it leans on: docs/decisions/0005-echo-reads.md.

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

/** A buffer, and the part that the last read filled: messages of one size share one view. */
interface Lane {
  readonly buffer: Uint8Array;
  filled: Uint8Array;
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

/** Who has a short message to send at the end of this turn. */
let deferring: DirectEchoPump[] = [];

function flushDeferring(): void {
  const pumps = deferring;
  deferring = [];
  for (const pump of pumps) pump.flush();
}

export class DirectEchoPump implements EchoPump {
  /** As it was accepted. Its handle moves to `#socket`; it ends when that one does, for those who count connections. */
  readonly #accepted: DirectSocket;
  readonly #onChunk: ((chunk: Uint8Array) => void) | undefined;
  readonly #onClosed: () => void;
  #socket: Socket | undefined;
  #handle: TcpHandle | undefined;
  /** Where reads go, and where the next ones go while a message waits in this one. */
  #lane: Lane = aLane(Buffer.allocUnsafe(SMALL_BYTES));
  #spare: Lane = aLane(Buffer.allocUnsafe(SMALL_BYTES));
  /** Until Node has been told where reads go. */
  #isLaneNew = true;
  #bulk: Lane | undefined;
  /** A short message that waits for the end of the turn. */
  #deferred: Uint8Array | undefined;
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
    this.flush();
    this.#isFinishing = true;
    this.#socket?.end();
    this.#socket?.resume();
  }

  destroy(): void {
    this.#accepted.destroy();
  }

  /** Sends the message that waits. */
  flush(): void {
    const bytes = this.#deferred;
    if (bytes === undefined) return;
    this.#deferred = undefined;
    this.#write(bytes);
    if (this.#writesUnderWay > 0) this.#socket?.pause();
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
    if (!this.#isLaneNew) return undefined;
    this.#isLaneNew = false;
    return (this.#bulk ?? this.#lane).buffer;
  }

  /** False: read no more until told. */
  #onRead(length: number): boolean {
    if (this.#isFinishing) return true;
    const lane = this.#bulk ?? this.#lane;
    if (lane.filled.length !== length) lane.filled = lane.buffer.subarray(0, length);
    this.#onChunk?.(lane.filled);
    if (length < SMALL_BYTES && lane !== this.#bulk && this.#deferred === undefined) {
      this.#defer(lane);
      return true;
    }
    this.flush();
    this.#write(lane.filled);
    if (this.#writesUnderWay > 0) return false;
    if (length < SMALL_BYTES) this.#leaveBulk();
    else if (length === SMALL_BYTES) this.#enterBulk();
    return true;
  }

  #defer(lane: Lane): void {
    this.#deferred = lane.filled;
    if (deferring.push(this) === 1) setImmediate(flushDeferring);
    // A turn with very many events may bring another read before its end.
    this.#lane = this.#spare;
    this.#spare = lane;
    this.#isLaneNew = true;
  }

  #enterBulk(): void {
    const buffer = this.#bulk === undefined ? bulkBuffers.take() : undefined;
    if (buffer === undefined) return;
    this.#bulk = aLane(buffer);
    this.#isLaneNew = true;
  }

  /** No write may be under way. */
  #leaveBulk(): void {
    if (this.#bulk === undefined) return;
    bulkBuffers.give(this.#bulk.buffer);
    this.#bulk = undefined;
    this.#isLaneNew = true;
  }

  #write(bytes: Uint8Array): void {
    const result = this.#handle?.writeBuffer(null, bytes);
    if (result === 0) return;
    if (typeof result !== 'object') return this.destroy();
    if (result.writeStatus !== null) return result.writeStatus < 0 ? this.destroy() : undefined;
    this.#writesUnderWay++;
    result.buffer = bytes;
    result.oncomplete = (status) => this.#onWritten(status);
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
    this.#deferred = undefined;
    this.#leaveBulk();
    this.#accepted.destroy();
    this.#onClosed();
  }
}

function aLane(buffer: Uint8Array): Lane {
  return { buffer, filled: buffer };
}
