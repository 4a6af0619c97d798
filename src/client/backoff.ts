// How long to wait before the next attempt to reach a server: exponential backoff with full jitter, so that a thousand
// clients that lost the same server do not all come back in the same second.

import type { World } from './world.ts';

export interface Reconnect {
  /** The most that is waited before the first attempt, in milliseconds; it doubles with each. */
  readonly firstDelayMs?: number;
  readonly maxDelayMs?: number;
  /** Attempts in a row that may fail; without it there is no end. */
  readonly attempts?: number;
}

/** A server that is restarted is back within a second or two. */
const FIRST_DELAY_MS = 250;
/** Somebody who watches a screen waits half a minute, and a server that is down for days is asked rarely. */
const MAX_DELAY_MS = 30_000;

/** Milliseconds before attempt `attempt` (0 is the first); undefined: no more attempts. `random` is in [0, 1). */
export function delayBefore(attempt: number, reconnect: Reconnect, random: () => number): number | undefined {
  const { firstDelayMs = FIRST_DELAY_MS, maxDelayMs = MAX_DELAY_MS, attempts = Number.POSITIVE_INFINITY } = reconnect;
  if (attempt >= attempts) return undefined;
  return random() * Math.min(maxDelayMs, firstDelayMs * 2 ** attempt);
}

/** Settles after so long, or when the signal says that there is nothing to wait for. */
export function waited(
  ms: number,
  { world, signal }: { readonly world: Pick<World, 'after'>; readonly signal: AbortSignal },
): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const cancel = world.after(ms, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    const onAbort = () => {
      cancel();
      resolve();
    };
    return signal.addEventListener('abort', onAbort, { once: true });
  });
}
