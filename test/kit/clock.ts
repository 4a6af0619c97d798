// A clock that moves only when told: what a test says of time holds at any speed of the machine.

import type { Clock } from '../../src/net/dial.ts';

export interface StillClock extends Clock {
  /** Calls what is due then, in that order; what is set meanwhile waits for the next time. */
  pass(ms: number): void;
  /** So many wait for it. */
  readonly waiting: number;
}

export function stillClock(): StillClock {
  const timers = new Set<{ readonly at: number; readonly call: () => void }>();
  let now = 5_000;
  return {
    now: () => now,
    after(ms, call) {
      const timer = { at: now + ms, call };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    pass(ms) {
      now += ms;
      const due = [...timers].filter(({ at }) => at <= now).toSorted((a, b) => a.at - b.at);
      // One may cancel another.
      for (const timer of due) if (timers.delete(timer)) timer.call();
    },
    get waiting() {
      return timers.size;
    },
  };
}

/** Lets everything run that waits for nothing but its turn. */
export function settled(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}
