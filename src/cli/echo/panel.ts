// Lines at the end of what a terminal shows, that are written over.

export class Panel {
  readonly #output: { write(text: string): unknown };
  #linesShown = 0;

  constructor(output: { write(text: string): unknown }) {
    this.#output = output;
  }

  show(lines: readonly string[]): void {
    const painted = lines.map((line) => `\u001b[K${line}\n`).join('');
    // What was longer before leaves nothing below.
    const rest = lines.length < this.#linesShown ? '\u001b[J' : '';
    this.#output.write(`${this.#back()}${painted}${rest}`);
    this.#linesShown = lines.length;
  }

  /** Nothing of it is left. */
  clear(): void {
    if (this.#linesShown > 0) this.#output.write(`${this.#back()}\u001b[J`);
    this.#linesShown = 0;
  }

  /** ECMA-48: up to the first of our lines. */
  #back(): string {
    return this.#linesShown === 0 ? '' : `\r\u001b[${this.#linesShown}A`;
  }
}
