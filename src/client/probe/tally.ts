// What the round trips of a connection amount to.

import { distribution, type Distribution } from '../stats.ts';
import type { Rounds } from './facts.ts';

/** Of those that came back whole and unchanged. */
export function timesOf({ times }: Rounds): number[] {
  return times.filter((time) => time !== undefined);
}

/** Undefined: none came back. */
export function spreadOf(rounds: Rounds): Distribution | undefined {
  return distribution(timesOf(rounds));
}

export function lossOf(rounds: Rounds): { readonly count: number; readonly came: number; readonly lost: number } {
  const { count } = rounds;
  const came = timesOf(rounds).length;
  return { count, came, lost: count - came };
}
