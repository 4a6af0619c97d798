// A sender over its rate is slowed by not being read, never cut off.

import { TokenBucket, type Rate } from '../../core/rate.ts';
import type { Pump } from '../../protocol/native/pump.ts';

export interface SlowingOptions {
  readonly rate: Rate;
  readonly clock: () => number;
  readonly pump: Pick<Pump, 'hold'>;
}

export class Slowing {
  readonly #options: SlowingOptions;
  readonly #bucket: TokenBucket;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SlowingOptions) {
    this.#options = options;
    this.#bucket = new TokenBucket(options.rate, options.clock());
  }

  /** It has asked for something. */
  asked(): void {
    const waitMs = this.#take();
    if (waitMs > 0) this.#wait(waitMs, this.#options.pump.hold());
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #wait(ms: number, release: () => void): void {
    this.#timer = setTimeout(() => {
      const moreMs = this.#take();
      if (moreMs === 0) release();
      else this.#wait(moreMs, release);
    }, ms);
  }

  #take(): number {
    return this.#bucket.take(this.#options.clock());
  }
}
