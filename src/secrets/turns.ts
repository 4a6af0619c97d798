// Work that is dear: so much of it at once, so much more waiting in order, and the rest is told at once that it is busy.

export interface TurnsOptions {
  readonly maxAtOnce: number;
  readonly maxWaiting: number;
}

export class Turns {
  readonly #options: TurnsOptions;
  readonly #waiting: (() => void)[] = [];
  #working = 0;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  async take<T>(work: () => Promise<T>): Promise<T | 'busy'> {
    const { maxAtOnce, maxWaiting } = this.#options;
    if (this.#working < maxAtOnce) this.#working++;
    else if (this.#waiting.length >= maxWaiting) return 'busy';
    // Whoever ends passes its place on: the number at work stays as it is.
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#working--;
      else next();
    }
  }
}
