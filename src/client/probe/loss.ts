// How many of the echoes came back.

import type { Rounds } from './facts.ts';

export function lossOf({ count, times }: Rounds): {
  readonly count: number;
  readonly came: number;
  readonly lost: number;
} {
  const came = times.filter((time) => time !== undefined).length;
  return { count, came, lost: count - came };
}
