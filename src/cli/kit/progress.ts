// How far something long has come: one line of a terminal, which is written over.

/** Milliseconds between two looks: more often nobody reads. */
const INTERVAL_MS = 200;
/** ECMA-48: back to where the line begins, and what stands there is erased. */
const BACK = '\r\u001b[K';

export class Progress {
  readonly #output: { write(text: string): unknown };
  #shownAtMs = Number.NEGATIVE_INFINITY;
  #isShown = false;

  constructor(output: { write(text: string): unknown }) {
    this.#output = output;
  }

  show(text: string, nowMs: number): void {
    if (nowMs - this.#shownAtMs < INTERVAL_MS) return;
    this.#shownAtMs = nowMs;
    this.#isShown = true;
    this.#output.write(BACK + text);
  }

  /** The line is gone; what is written next has the terminal for itself. */
  clear(): void {
    if (this.#isShown) this.#output.write(BACK);
    this.#isShown = false;
  }
}
