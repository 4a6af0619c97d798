// Lines at the end of what a terminal shows, that are written over whenever there is something else to show.

/** Milliseconds between two paintings: more often nobody reads. */
const INTERVAL_MS = 100;

export class Panel {
  readonly #output: { write(text: string): unknown };
  readonly #lines: () => readonly string[];
  #linesShown = 0;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  /** The lines are asked for at each painting: terminals are resized. */
  constructor(output: { write(text: string): unknown }, lines: () => readonly string[]) {
    this.#output = output;
    this.#lines = lines;
  }

  /** There is something else to show. */
  soon(): void {
    if (this.#isOver) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#paint(this.#lines());
    }, INTERVAL_MS);
  }

  /** Nothing of it is left on the terminal, nor comes there any more. */
  clear(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    if (this.#linesShown > 0) this.#output.write(`${this.#back()}\u001b[J`);
    this.#linesShown = 0;
  }

  #paint(lines: readonly string[]): void {
    const painted = lines.map((line) => `\u001b[K${line}\n`).join('');
    // What was longer before leaves nothing below.
    const rest = lines.length < this.#linesShown ? '\u001b[J' : '';
    this.#output.write(`${this.#back()}${painted}${rest}`);
    this.#linesShown = lines.length;
  }

  /** ECMA-48: up to the first of our lines. */
  #back(): string {
    return this.#linesShown === 0 ? '' : `\r\u001b[${this.#linesShown}A`;
  }
}
