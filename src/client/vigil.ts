// Whether a server that owes an answer is still there. TCP alone does not tell: the kernel of a machine whose server hangs
// or was stopped goes on acknowledging.

/** As `World.after`. */
export type After = (ms: number, then: () => void) => () => void;

export interface VigilOptions {
  /** Asks the server something that it answers at once. */
  readonly ask: () => void;
  readonly onSilent: () => void;
  readonly after?: After | undefined;
}

/** Milliseconds of silence while something is awaited, until the server is asked whether it is there. */
const QUIET_MS = 30_000;
/** Milliseconds for its answer, in two steps. */
const PATIENCE_MS = 14_000;
/**
 * A client that was stopped itself (Ctrl-Z) finds its time up before it has read what came meanwhile: it goes on to the
 * next step, and reads. So the last one is short: nobody is stopped just then.
 */
const LAST_LOOK_MS = 1_000;
const STEPS_MS = [QUIET_MS, PATIENCE_MS, LAST_LOOK_MS] as const;

/** What is said of a connection that ends so. */
export const SILENT = 'the server does not answer';

export class Vigil {
  readonly #options: VigilOptions;
  readonly #after: After;
  #isWatching = false;
  #cancel = () => {};

  constructor(options: VigilOptions) {
    this.#options = options;
    this.#after = options.after ?? afterUnlessOver;
  }

  /** To be told whenever that may have changed. */
  watch(isAwaiting: boolean): void {
    if (isAwaiting === this.#isWatching) return;
    this.#isWatching = isAwaiting;
    if (isAwaiting) this.#begin(0);
    else this.#cancel();
  }

  /** Something came, whatever it was. */
  heard(): void {
    if (!this.#isWatching) return;
    this.#cancel();
    this.#begin(0);
  }

  #begin(step: number): void {
    const ms = STEPS_MS[step];
    if (ms === undefined) return this.#options.onSilent();
    this.#cancel = this.#after(ms, () => {
      if (step === 0) this.#options.ask();
      // Asking may have shown that the connection is gone.
      if (this.#isWatching) this.#begin(step + 1);
    });
  }
}

/** A program that has nothing else to do ends: what it waits for has a connection, and that keeps it. */
function afterUnlessOver(ms: number, then: () => void): () => void {
  const timer: NodeJS.Timeout | number = setTimeout(then, ms);
  // In a browser it is a number.
  if (typeof timer === 'object') timer.unref();
  return () => clearTimeout(timer);
}
