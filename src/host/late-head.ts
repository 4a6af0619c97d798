// Heads of records on their way to the disk: no command waits for it (0.4 ms here, and 5 at times), and commands in quick
// succession are one write.

import type { RecordsHead } from './records-head.ts';

const KEPT_AFTER_MS = 1_000;

export class LateHead {
  readonly #kept: Pick<RecordsHead, 'keep'>;
  readonly #onTried: (reason: string | undefined) => void;
  #head: string | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** `onTried` is told why a head is not kept, or undefined: it is. */
  constructor(kept: Pick<RecordsHead, 'keep'>, onTried: (reason: string | undefined) => void) {
    this.#kept = kept;
    this.#onTried = onTried;
  }

  /** Within a second. */
  keep(head: string): void {
    this.#head = head;
    this.#timer ??= setTimeout(() => this.close(), KEPT_AFTER_MS);
  }

  /** What waits is kept now. */
  close(): void {
    if (this.#timer === undefined || this.#head === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#onTried(this.#kept.keep(this.#head));
  }
}
