// What a program gives a command to read: as fast as the command takes it, and an end.

import { BrokenPipeError, RefusedError } from './errors.ts';

/** What can be given as a whole, or piece by piece. */
export type InputSource = string | Uint8Array | AsyncIterable<string | Uint8Array>;

/** Where it goes, once the command is under way. */
export interface InputSink {
  /** False: wait for `hasRoom`. */
  write(bytes: Uint8Array): boolean;
  endInput(): void;
}

/** Writes that wait: whoever writes on without waiting for them would only fill the memory. */
const MAX_WAITING_WRITES = 10_000;

const encoder = new TextEncoder();

export class Input {
  readonly #sink = Promise.withResolvers<InputSink>();
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;
  #isEnded = false;
  #isClosed = false;
  #room: (() => void) | undefined;

  /**
   * Settles when there is room for more. Throws a `BrokenPipeError` once the command takes no more input, which is nothing
   * unusual: it has read what it wanted.
   */
  write(data: string | Uint8Array): Promise<void> {
    if (this.#isEnded) return Promise.reject(new TypeError('Cannot write: the input was ended'));
    if (this.#waiting >= MAX_WAITING_WRITES) {
      const why = `Cannot write: ${MAX_WAITING_WRITES} writes are waiting already; wait for each`;
      return Promise.reject(new RefusedError('too-many-writes', why));
    }
    this.#waiting += 1;
    const written = this.#last
      .then(() => this.#put(typeof data === 'string' ? encoder.encode(data) : data))
      .finally(() => (this.#waiting -= 1));
    // What went wrong with one is said by that one; the next finds out by itself.
    this.#last = written.catch(() => {});
    return written;
  }

  /** For good: the command reads the end after what was written. */
  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    void Promise.all([this.#sink.promise, this.#last]).then(([sink]) => sink.endInput());
  }

  /** All of it, and the end. Throws what the source throws. */
  async feed(source: InputSource): Promise<void> {
    try {
      if (typeof source === 'string' || source instanceof Uint8Array) await this.write(source);
      else for await (const piece of source) await this.write(piece);
    } catch (error) {
      if (!(error instanceof BrokenPipeError)) throw error;
    }
    this.end();
  }

  // ── for whoever starts the command ──

  attach(sink: InputSink): void {
    this.#sink.resolve(sink);
  }

  hasRoom(): void {
    this.#room?.();
    this.#room = undefined;
  }

  /** The command takes no more, or there is none any more. */
  close(): void {
    this.#isClosed = true;
    this.#sink.resolve(NOWHERE);
    this.hasRoom();
  }

  async #put(bytes: Uint8Array): Promise<void> {
    const sink = await this.#sink.promise;
    if (!this.#isClosed && !sink.write(bytes)) await new Promise<void>((resolve) => (this.#room = resolve));
    if (this.#isClosed) throw new BrokenPipeError();
  }
}

const NOWHERE: InputSink = { write: () => true, endInput: () => {} };
