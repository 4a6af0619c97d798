// A run's standard input. What is written before the command is there waits here.

import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { ListenedSink } from '../core/run/listened.ts';
import { keepRousing, type Three } from './pipes.ts';

/** What may wait for a command that is being started; as much as a pipe holds on Linux. */
const MAX_WAITING_BYTES = 65_536;

interface Ends {
  readonly hold: number;
  readonly stdin: number;
  readonly paths: Three<string>;
}

export class PipeSink extends ListenedSink {
  #isOpen = false;
  #ends: Ends | undefined;
  #stopRousing: (() => void) | undefined;
  #socket: Socket | undefined;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #isFull = false;
  #hasEnded = false;

  write(chunk: Uint8Array): boolean {
    if (this.#hasEnded || this.isClosed) return true;
    if (this.#socket !== undefined) return this.#pass(this.#socket, chunk);
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.byteLength;
    this.#isFull = this.#waitingBytes >= MAX_WAITING_BYTES;
    return !this.#isFull;
  }

  /** What one turn of the event loop brings is one write: by TLS it comes in records of 16 KiB. */
  #pass(socket: Socket, chunk: Uint8Array): boolean {
    if (socket.writableCorked === 0) {
      socket.cork();
      setImmediate(() => socket.uncork());
    }
    return socket.write(chunk);
  }

  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#socket?.end();
  }

  attach(ends: Ends): void {
    this.#ends = ends;
    if (this.isClosed) this.#release(ends);
  }

  /** The command holds the read end: from now on its going is noticed, and the server's own is let go. */
  open(): void {
    if (this.#isOpen || this.isClosed || this.#ends === undefined) return;
    this.#isOpen = true;
    closeSync(this.#ends.hold);
    const [path] = this.#ends.paths;
    if (this.#hasEnded && this.#waiting.length === 0) {
      closeSync(this.#ends.stdin);
      this.#stopRousing = keepRousing(path);
      return;
    }
    const socket = new Socket({ fd: this.#ends.stdin, readable: false, writable: true });
    this.#socket = socket;
    socket.on('error', () => this.close());
    socket.on('close', () => {
      if (!this.isClosed) this.#stopRousing = keepRousing(path);
    });
    socket.on('drain', () => this.tellDrain());
    for (const chunk of this.#waiting) socket.write(chunk);
    this.#waiting = [];
    if (this.#hasEnded) socket.end();
    else if (this.#isFull && !socket.writableNeedDrain) this.tellDrain();
  }

  override close(): void {
    if (this.isClosed) return;
    super.close();
    this.#waiting = [];
    this.#stopRousing?.();
    if (this.#isOpen) this.#socket?.destroy();
    else if (this.#ends !== undefined) this.#release(this.#ends);
  }

  #release({ hold, stdin }: Ends): void {
    closeSync(hold);
    closeSync(stdin);
  }
}
