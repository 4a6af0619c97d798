// News of a watch, posted to others in the chat. A server that is away is told later: what it was to be told is kept for
// a while, each with a key of its own, so that nobody hears it twice.

import { randomUUID } from 'node:crypto';
import { ClosedError, RefusedError, UnreachableError } from '../../client/errors.ts';
import type { Client } from '../../client/mod.ts';
import { quote } from '../../protocol/text.ts';

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
  #flushing: Promise<void> | undefined;

  constructor(options: TellOptions) {
    this.#options = options;
  }

  /** Says at once what would be found out with the first news only: nobody may come in, or there is nobody of a name. */
  async check(): Promise<void> {
    const { names, connect, complain } = this.#options;
    const unknown: string[] = [];
    const failed = await this.#unlessAway(async () => {
      await using client = await connect();
      for (const name of names) {
        const page = client.history({ with: name, limit: 1, onUnknown: () => unknown.push(name) });
        // oxlint-disable-next-line no-await-in-loop -- they are few, and one after the other is as they were typed
        await page.next();
      }
    });
    const nobody = unknown.map((name) => quote(name)).join(', ');
    const why = nobody === '' ? failed?.message : `There is nobody and no group named ${nobody}`;
    if (why !== undefined) complain(`${why}; ${names.join(', ')} will not be told, and the watch goes on`);
  }

  add(text: string): void {
    this.#kept = [...this.#kept, { text, key: randomUUID() }].slice(-MAX_KEPT);
  }

  /**
   * Sends what is kept, and what is added meanwhile. What the server refuses is said and dropped: it would refuse it again.
   * While that goes on it is the same for whoever asks once more: one connection is enough.
   */
  flush(): Promise<void> {
    this.#flushing ??= this.#send().finally(() => (this.#flushing = undefined));
    return this.#flushing;
  }

  async #send(): Promise<void> {
    if (this.#kept.length === 0) return;
    const { names, connect, complain } = this.#options;
    const failed = await this.#unlessAway(async () => {
      await using client = await connect();
      for (let next = this.#kept[0]; next !== undefined; next = this.#kept[0]) {
        const { text, key } = next;
        await client.send([...names], text, { key });
        this.#kept = this.#kept.filter((one) => one.key !== key);
      }
    });
    if (failed === undefined) return;
    if (failed instanceof RefusedError) this.#kept = [];
    complain(`${failed.message}; ${names.join(', ')} ${names.length === 1 ? 'was' : 'were'} not told`);
  }

  /** What the server, or the way to it, says against it. */
  async #unlessAway(work: () => Promise<void>): Promise<Error | undefined> {
    try {
      await work();
      return undefined;
    } catch (error) {
      const isExpected =
        error instanceof RefusedError || error instanceof UnreachableError || error instanceof ClosedError;
      if (isExpected) return error;
      throw error;
    }
  }
}
