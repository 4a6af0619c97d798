// The main thread's end of one worker: it starts it, hands over what it says, and notices its death. While nothing is
// asked of it, it keeps no process alive.

import { Worker } from 'node:worker_threads';
import type { FromReader, FromWriter, ToReader, ToWriter, WorkerSettings } from './wire.ts';
import { reasonOf } from '../reason.ts';

const ENTRY = new URL('./worker.mjs', import.meta.url);

export interface LinkEvents<From> {
  readonly onMessage: (message: From) => void;
  /** It died, or left: nothing more comes. Not called after `closed()` was asked for. */
  readonly onGone: (reason: string) => void;
}

export class Link<To extends ToWriter | ToReader, From extends FromWriter | FromReader> {
  readonly #worker: Worker;
  readonly #exit = Promise.withResolvers<void>();
  #isClosing = false;
  #lastWords = 'it ended';

  constructor(settings: WorkerSettings, { onMessage, onGone }: LinkEvents<From>) {
    this.#worker = new Worker(ENTRY, { workerData: settings, name: `journal ${settings.role}` });
    this.#worker.on('message', onMessage);
    this.#worker.on('error', (error) => {
      this.#lastWords = reasonOf(error);
    });
    this.#worker.on('exit', () => {
      this.#exit.resolve();
      if (!this.#isClosing) onGone(`its ${settings.role} is gone: ${this.#lastWords}`);
    });
  }

  tell(message: To): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread's has none
    this.#worker.postMessage(message);
  }

  /** Whether a process waits for it; it does while it closes, whatever else is said. */
  hold(isHeld: boolean): void {
    if (isHeld || this.#isClosing) this.#worker.ref();
    else this.#worker.unref();
  }

  /** It does nothing more of what it was told. */
  async terminate(): Promise<void> {
    this.#isClosing = true;
    await this.#worker.terminate();
  }

  /** When it has left, after all that it was told. */
  closed(): Promise<void> {
    this.#isClosing = true;
    this.hold(true);
    return this.#exit.promise;
  }
}
