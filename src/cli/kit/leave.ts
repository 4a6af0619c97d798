// How the program ends: by itself, when nothing is left to do. `process.exit()` joins V8's compiler threads first, and
// one that waits for the main thread to collect garbage just then waits for ever, and we with it
// (https://github.com/nodejs/node/issues/54918; measured with Node 26.10: 2 of 240 runs of `run -- cat` with 16 MiB).

import { dieIfInterrupted } from './interruption.ts';

/** Milliseconds for what still holds the loop: a cut connection, say, is not worth waiting for. */
const LINGER_MS = 250;

/** All that was to be said has been: the process ends with this status, whatever somebody still holds open. */
export function leave(status: number): void {
  dieIfInterrupted(status);
  process.exitCode = status;
  process.stdin.destroy();
  setTimeout(() => process.exit(), LINGER_MS).unref();
}
