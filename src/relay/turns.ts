// So many at once, and the others in their order: what is asked of another end that takes only so many questions.

export class Turns {
  readonly #most: number;
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Asks when it is its turn. Whoever has been answered calls `done`. */
  take(ask: (done: () => void) => void): void {
    this.#waiting.push(() => {
      ask(() => {
        this.#underWay -= 1;
        // Not at once: of a connection that is gone each has its answer before it returns.
        queueMicrotask(() => this.#startNext());
      });
    });
    this.#startNext();
  }

  #startNext(): void {
    if (this.#underWay >= this.#most) return;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.#underWay += 1;
    next();
  }
}
