// What somebody or something has said so far, and waiting for what it says next. Nothing here counts seconds except
// the bound after which waiting is a failure.

/** A wait that takes longer has failed; far beyond what a loaded machine needs. */
const PATIENCE_MS = 30_000;

export class Transcript {
  text = '';
  #seen = 0;
  #isOver = false;
  #waiting: (() => void)[] = [];

  add(chunk: string): void {
    this.text += chunk;
    this.#wake();
  }

  /** Nothing more comes. */
  end(): void {
    this.#isOver = true;
    this.#wake();
  }

  /** Reads on until the pattern has come, and returns what was read, the match included. */
  async until(pattern: RegExp | string): Promise<string> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const rest = this.text.slice(this.#seen);
      const end = endOf(pattern, rest);
      if (end !== undefined) {
        this.#seen += end;
        return rest.slice(0, end);
      }
      if (this.#isOver) throw new Error(`ended before ${pattern}; unread: ${JSON.stringify(rest.slice(-2_000))}`);
      await this.#more(deadline, () => `waited in vain for ${pattern}; unread: ${JSON.stringify(rest.slice(-2_000))}`);
    }
  }

  /** Everything not read yet, up to the end. */
  async rest(): Promise<string> {
    const deadline = Date.now() + PATIENCE_MS;
    while (!this.#isOver)
      await this.#more(deadline, () => `did not end; so far: ${JSON.stringify(this.text.slice(-2_000))}`);
    return this.text.slice(this.#seen);
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  #more(deadline: number, words: () => string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(words())), Math.max(0, deadline - Date.now()));
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

function endOf(pattern: RegExp | string, text: string): number | undefined {
  if (typeof pattern === 'string') {
    const at = text.indexOf(pattern);
    return at < 0 ? undefined : at + pattern.length;
  }
  const match = pattern.exec(text);
  return match === null ? undefined : match.index + match[0].length;
}
