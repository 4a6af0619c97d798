// Our own two outputs, for lines of many machines: what comes faster than it is read waits with its sender, and a reader
// that is gone ends the commands' output, not us.

import type { OutputName } from '../../client/run.ts';

type Done = () => void;

export class Outputs {
  readonly #streams = { stdout: process.stdout, stderr: process.stderr };
  readonly #waiting: Done[] = [];
  #isHurried = false;
  #failure: string | undefined;

  /** `broken`: nobody takes what is written there any more. */
  constructor(broken: (name: OutputName) => void) {
    const names: OutputName[] = ['stdout', 'stderr'];
    for (const name of names) {
      // Whoever listened before knew nothing of commands that have to be told.
      this.#streams[name].removeAllListeners('error').on('error', (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EPIPE') this.#failure ??= `Cannot write ${name}: ${error.code ?? error.message}`;
        this.#release();
        broken(name);
      });
      this.#streams[name].on('drain', () => this.#release());
    }
  }

  /** Why they could not be written; a reader that has seen enough is no failure. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Something was given to an output that has not taken it yet. */
  get isBehind(): boolean {
    return Object.values(this.#streams).some((stream) => stream.writableNeedDrain && !stream.destroyed);
  }

  /** What an output that is behind does not take now, once we are in a hurry, it does not get. */
  write(name: OutputName, text: string): void {
    if (text === '' || this.#streams[name].destroyed || (this.#isHurried && this.isBehind)) return;
    this.#streams[name].write(text);
  }

  whenTaken(done: Done): void {
    if (this.isBehind && !this.#isHurried) this.#waiting.push(done);
    else done();
  }

  /** From now on nothing waits for a reader that has stopped, so that the ends of the commands can come through. */
  hurry(): void {
    this.#isHurried = true;
    this.#release();
  }

  #release(): void {
    if (this.#isHurried || !this.isBehind) for (const done of this.#waiting.splice(0)) done();
  }
}
