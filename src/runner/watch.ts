// Whether the runner process is still there: one that was stopped (SIGSTOP) has not died, and says nothing for ever.
// What was to be heard by some time and was not makes it be asked; it answers whatever else it is busy with.

/** No answer takes so long, unless the machine stands still; and then this time does not pass either. */
const ANSWER_MS = 1_500;

export interface WatchOptions {
  readonly ask: () => void;
  /** Called once: it did not answer. */
  readonly onSilent: () => void;
}

export class Watch {
  readonly #options: WatchOptions;
  readonly #expected = new Map<string, NodeJS.Timeout>();
  #answer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** Something is to be heard within so long, and asked about again after as long, until it is fulfilled. */
  expect(what: string, withinMs: number): void {
    if (this.#isClosed) return;
    clearInterval(this.#expected.get(what));
    this.#expected.set(
      what,
      setInterval(() => this.#ask(), withinMs),
    );
  }

  expects(what: string): boolean {
    return this.#expected.has(what);
  }

  fulfil(what: string): void {
    clearInterval(this.#expected.get(what));
    this.#expected.delete(what);
  }

  /** It said something, whatever it was. */
  hear(): void {
    clearTimeout(this.#answer);
    this.#answer = undefined;
  }

  close(): void {
    this.#isClosed = true;
    this.hear();
    for (const timer of this.#expected.values()) clearInterval(timer);
    this.#expected.clear();
  }

  #ask(): void {
    if (this.#answer !== undefined || this.#isClosed) return;
    this.#options.ask();
    const asked = setTimeout(() => {
      // A busy event loop comes late: what was said all along is heard between a timer and an immediate.
      setImmediate(() => {
        if (this.#answer !== asked) return;
        this.close();
        this.#options.onSilent();
      });
    }, ANSWER_MS);
    this.#answer = asked;
  }
}
