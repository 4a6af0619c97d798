// How fast somebody may go on: a token bucket as a function of the time given.

export interface Rate {
  /** Tokens that come back each second. */
  readonly perSecond: number;
  /** Tokens a patient sender has saved up. */
  readonly burst: number;
}

export class TokenBucket {
  readonly #rate: Rate;
  #tokens: number;
  #atMs: number;

  constructor(rate: Rate, nowMs: number) {
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#atMs = nowMs;
  }

  /** Takes so many tokens and returns 0; or takes none and returns how many milliseconds it is until there are. */
  take(nowMs: number, count = 1): number {
    const waitMs = this.waitMs(nowMs, count);
    if (waitMs === 0) this.#tokens -= count;
    return waitMs;
  }

  /** The same without taking any. */
  waitMs(nowMs: number, count = 1): number {
    const { perSecond, burst } = this.#rate;
    // A clock set back gives nothing and takes nothing.
    const elapsedMs = Math.max(0, nowMs - this.#atMs);
    this.#atMs = nowMs;
    this.#tokens = Math.min(burst, this.#tokens + (elapsedMs * perSecond) / 1000);
    return this.#tokens < count ? Math.ceil(((count - this.#tokens) * 1000) / perSecond) : 0;
  }

  /** A token that was taken and is not to count. */
  giveBack(): void {
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + 1);
  }
}
