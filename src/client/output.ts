// What a command says, for a program that reads it in a loop: as much is fetched as is read, and as much waits here as a
// stream's window holds. An async iterable and no ReadableStream: docs/decisions/0025-runs-in-the-library.md.

import { INITIAL_WINDOW_BYTES } from '../protocol/native/limits.ts';

/** Bytes that wait for a reader once their command is being ended; what comes beyond them is not waited for. */
const MAX_LEFT_BYTES = INITIAL_WINDOW_BYTES;

export interface Given {
  /** Bytes that are held up until it is read. */
  readonly length: number;
  /** To be called when it is out of the way. */
  readonly done: () => void;
  /** A reader has it. */
  readonly onRead?: () => void;
}

interface Waiting<Item> {
  readonly resolve: (result: IteratorResult<Item, undefined>) => void;
  readonly reject: (error: Error) => void;
}

const OVER = { done: true, value: undefined } as const;

/** One reader: what one loop has read another does not get. */
export class Output<Item = Uint8Array> implements AsyncIterableIterator<Item, undefined> {
  readonly #onDropped: () => void;
  readonly #queue: (Given & { readonly item: Item })[] = [];
  #queuedBytes = 0;
  readonly #waiting: Waiting<Item>[] = [];
  /** Of what was read last: it is out of the way once more is asked for. */
  #owed: () => void = () => {};
  #end: 'open' | 'over' | Error = 'open';
  #isHurried = false;

  /** `onDropped`: nobody wants the rest. */
  constructor(onDropped: () => void) {
    this.#onDropped = onDropped;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Throws an `UnreachableError` where the rest is lost. */
  next(): Promise<IteratorResult<Item, undefined>> {
    this.#settleOwed();
    const first = this.#queue.shift();
    if (first !== undefined) {
      this.#queuedBytes -= first.length;
      this.#owed = first.done;
      first.onRead?.();
      return Promise.resolve({ done: false, value: first.item });
    }
    if (this.#end === 'over') return Promise.resolve(OVER);
    if (this.#end !== 'open') {
      const error = this.#end;
      this.#end = 'over';
      return Promise.reject(error);
    }
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Leaving a loop means that the rest is not wanted. */
  return(): Promise<IteratorResult<Item, undefined>> {
    this.cancel();
    return Promise.resolve(OVER);
  }

  /** Nobody reads it: a command that writes on meets a broken pipe. */
  cancel(): void {
    this.#settleOwed();
    for (const { done } of this.#queue.splice(0)) done();
    this.#queuedBytes = 0;
    if (this.#end === 'open') {
      this.end();
      this.#onDropped();
    } else this.#end = 'over';
  }

  // ── for whoever fills it ──

  push(item: Item, given: Given): void {
    if (this.#end !== 'open') return given.done();
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) {
      this.#settleOwed();
      this.#owed = given.done;
      given.onRead?.();
      if (this.#isHurried) this.#settleOwed();
      return waiting.resolve({ done: false, value: item });
    }
    this.#queue.push({ item, ...given });
    this.#queuedBytes += given.length;
    if (this.#isHurried) given.done();
    if (!this.#isHurried || this.#queuedBytes <= MAX_LEFT_BYTES) return undefined;
    this.end();
    return this.#onDropped();
  }

  end(): void {
    if (this.#end !== 'open') return;
    this.#end = 'over';
    for (const { resolve } of this.#waiting.splice(0)) resolve(OVER);
  }

  /** What has come is still read. */
  fail(error: Error): void {
    if (this.#end !== 'open') return;
    const [first, ...others] = this.#waiting.splice(0);
    this.#end = first === undefined ? error : 'over';
    first?.reject(error);
    for (const { resolve } of others) resolve(OVER);
  }

  /** The end of the command waits for nobody from now on; what has come, and a window more, can still be read. */
  hurry(): void {
    this.#isHurried = true;
    this.#settleOwed();
    for (const { done } of this.#queue) done();
  }

  #settleOwed(): void {
    const owed = this.#owed;
    this.#owed = () => {};
    owed();
  }
}
