// The main thread's side of the reader: what it has been asked and not answered yet.

import { Link } from './link.ts';
import type { FromReader, Query, Result, ToReader } from './wire.ts';

interface Asked {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: Error) => void;
}

export class Questions {
  /** Rejects with an Error in words. */
  readonly opened: Promise<void>;
  readonly #reader: Link<ToReader, FromReader>;
  #asked: Asked[] = [];
  #gone: string | undefined;

  constructor(path: string) {
    const opening = Promise.withResolvers<void>();
    this.opened = opening.promise;
    this.#reader = new Link<ToReader, FromReader>(
      { role: 'reader', path },
      {
        onMessage: (message) => {
          if ('opened' in message) opening.resolve();
          else if ('cannotOpen' in message) opening.reject(new Error(message.cannotOpen));
          else this.#answered(message);
          this.#rest();
        },
        onGone: (reason) => {
          opening.reject(new Error(`Cannot open the journal ${path}: ${reason}`));
          this.#leave(reason);
        },
      },
    );
  }

  /** Why nothing can be asked any more. */
  get gone(): string | undefined {
    return this.#gone;
  }

  ask<Answer extends Result>(query: Query): Promise<Answer> {
    if (this.#gone !== undefined) return Promise.reject(this.cannotRead(this.#gone));
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the reader answers in the order of the questions
    this.#asked.push({ resolve: (result) => resolve(result as Answer), reject });
    this.#reader.tell(query);
    this.#rest();
    return promise;
  }

  /** What goes on behind whatever was attempted; whoever asked from elsewhere need not know where the journal is. */
  cannotRead(reason: string): Error {
    return new Error(`the journal cannot be read: ${reason}`);
  }

  #answered(message: Extract<FromReader, { result: unknown } | { failed: unknown }>): void {
    const asked = this.#asked.shift();
    if ('result' in message) asked?.resolve(message.result);
    else asked?.reject(this.cannotRead(message.failed));
  }

  /** A process waits for the reader while somebody waits for an answer. */
  #rest(): void {
    if (this.#gone === undefined) this.#reader.hold(this.#asked.length > 0);
  }

  #leave(reason: string): void {
    this.#gone = reason;
    for (const { reject } of this.#asked.splice(0)) reject(this.cannotRead(reason));
  }

  /** Every question is answered with `reason` from now on. One that is under way is not waited for: nothing is written. */
  async close(reason: string): Promise<void> {
    if (this.#gone !== undefined) return;
    if (this.#asked.length > 0) await this.#reader.terminate();
    else {
      const closed = this.#reader.closed();
      this.#reader.tell('close');
      await closed;
    }
    this.#leave(reason);
  }
}
