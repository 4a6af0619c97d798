// News of a watch, posted to others in the chat. A server that is away is told later: what it was to be told is kept for
// a while, each with a key of its own, so that nobody hears it twice.

import { randomUUID } from 'node:crypto';
import type { Client } from '../../client/mod.ts';

/** Beyond that the oldest are dropped: whoever was away so long wants to know how it is now. */
const MAX_KEPT = 20;

export interface TellOptions {
  readonly names: readonly string[];
  readonly connect: () => Promise<Client>;
  /** Says one line to whoever started the watch. */
  readonly complain: (line: string) => void;
}

export class Teller {
  readonly #options: TellOptions;
  #kept: { readonly text: string; readonly key: string }[] = [];

  constructor(options: TellOptions) {
    this.#options = options;
  }

  add(text: string): void {
    this.#kept = [...this.#kept, { text, key: randomUUID() }].slice(-MAX_KEPT);
  }

  /** Sends what is kept. What the server refuses is said and dropped: it would refuse it again. */
  async flush(): Promise<void> {
    if (this.#kept.length === 0) return;
    const { names, connect, complain } = this.#options;
    const { RefusedError, UnreachableError, ClosedError } = await import('../../client/mod.ts');
    try {
      await using client = await connect();
      for (let next = this.#kept[0]; next !== undefined; next = this.#kept[0]) {
        await client.send([...names], next.text, { key: next.key });
        this.#kept.shift();
      }
    } catch (error) {
      if (error instanceof RefusedError) this.#kept = [];
      else if (!(error instanceof UnreachableError || error instanceof ClosedError)) throw error;
      complain(`Cannot tell ${names.join(', ')}: ${error.message}`);
    }
  }
}
