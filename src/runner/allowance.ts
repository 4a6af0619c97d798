// A time that passes only while it is being used, such as the time for which a reader reads.

export class Allowance {
  readonly #onSpent: () => void;
  #leftMs: number;
  #since: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** `onSpent` is called once at most. */
  constructor(totalMs: number, onSpent: () => void) {
    this.#leftMs = totalMs;
    this.#onSpent = onSpent;
  }

  /** Passes from now on, or rests. */
  use(isUsed: boolean): void {
    if (isUsed === (this.#since !== undefined)) return;
    if (this.#since !== undefined) {
      clearTimeout(this.#timer);
      this.#leftMs -= performance.now() - this.#since;
      this.#since = undefined;
    } else if (this.#leftMs > -Infinity) {
      this.#since = performance.now();
      this.#timer = setTimeout(() => this.#spend(), Math.max(0, this.#leftMs));
    }
  }

  #spend(): void {
    this.#leftMs = -Infinity;
    this.#since = undefined;
    this.#onSpent();
  }
}
