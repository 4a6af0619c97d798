// A run that is served before it is known whether there is one: what comes for it meanwhile waits.

import type { Run, RunResult } from '../ports.ts';
import { RecordedSink, RecordedSource } from './recorded-run.ts';

/** Nothing is counted on its way. */
const UNCOUNTED = { add: () => {} };

export class PendingRun implements Run {
  readonly stdin = new RecordedSink(UNCOUNTED);
  readonly stdout = new RecordedSource(UNCOUNTED);
  readonly stderr = new RecordedSource(UNCOUNTED);
  readonly ended: Promise<RunResult>;
  readonly #settle: (result: RunResult) => void;
  #run: Run | undefined;
  #isCancelled = false;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<RunResult>();
    this.ended = promise;
    this.#settle = resolve;
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#run?.cancel();
  }

  /** Nobody has a terminal of it. */
  resize(): void {}

  begin(run: Run): void {
    this.#run = run;
    this.stdin.attach(run.stdin);
    this.stdout.attach(run.stdout);
    this.stderr.attach(run.stderr);
    if (this.#isCancelled) run.cancel();
    void run.ended.then(this.#settle);
  }

  /** There is none. */
  fail(reason: string): void {
    this.stdin.drop();
    this.stdout.drop();
    this.stderr.drop();
    this.#settle({ result: 'lost', status: null, reason });
  }
}
