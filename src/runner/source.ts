// One output of a run, as bytes that come as long as they are wanted. Nothing is read from the pipe before the first
// `resume()`, so that a reader that stalls stalls the command, and costs one buffer.

import { closeSync, readSync } from 'node:fs';
import { Socket } from 'node:net';
import { ListenedSource } from '../core/run/listened.ts';
import { Allowance } from './allowance.ts';
import { keepRousing } from './pipes.ts';
import { giveReadBuffer, returnOf, takeReadBuffer } from './read-buffers.ts';

export interface Quiet {
  /** The end, when nothing came for so long. */
  readonly quietMs: number;
  /** Or else, once a reader has been reading for so long, `onStill` is called, once. */
  readonly longestMs: number;
  readonly onStill: () => void;
  /** A paused reader's time counts for `quietMs` too. */
  readonly evenIfPaused: boolean;
}

/** To copy less than this costs less than another buffer. */
const FEW_BYTES = 16_384;
/** As much as a pipe usually holds, and its end. */
const MAX_REST_READS = 2;

/** `idle`: no writer yet, and reading would meet an end at once. */
type Phase = 'idle' | 'open' | 'ended';

export class PipeSource extends ListenedSource {
  readonly #onEnded: () => void;
  #phase: Phase = 'idle';
  #descriptor: number | undefined;
  #path = '';
  #stopRousing: (() => void) | undefined;
  #socket: Socket | undefined;
  #isWanted = false;
  /** What is read into. */
  #buffer: Buffer | undefined;
  #chunks = 0;
  #quietMs: number | undefined;
  #allowance: Allowance | undefined;
  #isHurried = false;
  #isLastCall = false;
  #quiet: NodeJS.Timeout | undefined;

  /** `onEnded` is called once, after the reader's own `onEnd` listener. */
  constructor(onEnded: () => void) {
    super();
    this.#onEnded = onEnded;
  }

  pause(): void {
    this.#isWanted = false;
    this.#socket?.pause();
    this.#watch();
  }

  resume(): void {
    this.#isWanted = true;
    this.#read();
    this.#watch();
  }

  cancel(): void {
    if (this.#phase === 'ended') return;
    this.end();
    if (this.#path !== '') this.#stopRousing = keepRousing(this.#path);
  }

  /** Takes over the read end. */
  attach(descriptor: number, path: string): void {
    this.#path = path;
    this.#descriptor = descriptor;
    if (this.#phase !== 'ended') return;
    closeSync(descriptor);
    this.#stopRousing = keepRousing(path);
  }

  /** The run is over: nobody is left who could open the write end. */
  release(): void {
    this.#stopRousing?.();
  }

  /** The command holds the write end, so an end that is read now is a true one. */
  open(): void {
    if (this.#phase !== 'idle') return;
    this.#phase = 'open';
    this.#read();
    this.#watch();
  }

  /** As `open`, where whoever wrote is gone: what the pipe holds is read here and now, and its end, which spares a socket. */
  openRest(): void {
    if (this.#phase !== 'idle') return;
    this.#phase = 'open';
    for (let reads = 0; reads < MAX_REST_READS && this.#phase === 'open' && this.#isWanted; reads++) {
      if (!this.#readNow()) break;
    }
    this.#read();
    this.#watch();
  }

  /**
   * The command has exited. Something it left behind may hold the pipe for ever: the source ends when, being read, it
   * brings nothing for so long. A paused reader has all the time it wants, unless the run was cancelled.
   */
  endWhenQuiet({ quietMs, longestMs, onStill, evenIfPaused }: Quiet): void {
    this.#quietMs = quietMs;
    this.#allowance ??= new Allowance(longestMs, onStill);
    this.#isHurried = evenIfPaused;
    this.#watch();
  }

  /** As `endWhenQuiet`, for a writer that nothing silences: being read, the source ends after so long. */
  endSoon(): void {
    this.#isLastCall = true;
    this.#watch();
  }

  /** Closes the read end, whoever still writes. */
  end(): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    clearTimeout(this.#quiet);
    this.#allowance?.use(false);
    if (this.#socket !== undefined) this.#socket.destroy();
    if (this.#buffer !== undefined) giveReadBuffer(this.#buffer);
    this.#buffer = undefined;
    if (this.#socket === undefined && this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.tellEnd(this.#onEnded);
  }

  #read(): void {
    if (this.#phase !== 'open' || !this.#isWanted || this.#descriptor === undefined) return;
    if (this.#socket === undefined) {
      const onread = {
        buffer: () => (this.#buffer ??= takeReadBuffer()),
        callback: (count: number) => this.#receive(count),
      };
      this.#socket = new Socket({ fd: this.#descriptor, readable: true, writable: false, onread });
      this.#socket.on('error', () => this.end());
      this.#socket.on('end', () => this.end());
    }
    this.#socket.resume();
  }

  /** False: there is nothing now, since somebody else holds the other end after all. */
  #readNow(): boolean {
    if (this.#descriptor === undefined) return false;
    this.#buffer ??= takeReadBuffer();
    try {
      const count = readSync(this.#descriptor, this.#buffer);
      if (count === 0) this.end();
      else this.#receive(count);
      return true;
    } catch {
      return false;
    }
  }

  /** Few bytes are copied, and the buffer stays; many take it along, until they are released. */
  #receive(count: number): true {
    this.#chunks += 1;
    if (!this.#isLastCall) this.#quiet?.refresh();
    const buffer = this.#buffer;
    if (this.#phase !== 'open' || buffer === undefined) return true;
    if (count < FEW_BYTES) {
      this.tellData(Buffer.from(buffer.subarray(0, count)));
      return true;
    }
    this.#buffer = undefined;
    this.tellData(buffer.subarray(0, count), returnOf(buffer));
    return true;
  }

  #watch(): void {
    clearTimeout(this.#quiet);
    this.#quiet = undefined;
    if (this.#quietMs === undefined || this.#phase !== 'open') return;
    this.#allowance?.use(this.#isWanted);
    if (this.#isWanted || this.#isHurried) this.#quiet = setTimeout(() => this.#lookOnceMore(), this.#quietMs);
  }

  /** A busy event loop comes late: what the pipe held all along is read between a timer and an immediate. */
  #lookOnceMore(): void {
    const before = this.#chunks;
    setImmediate(() => {
      if (this.#phase !== 'open' || !(this.#isWanted || this.#isHurried)) return;
      if (this.#chunks === before || this.#isLastCall) this.end();
      else this.#watch();
    });
  }
}
