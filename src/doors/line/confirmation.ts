// Many machines are confirmed by typing how many they are: what was shown, for as long as it may be said yes to.

import type { Place, Places } from '../../core/run/policy.ts';
import { formatMachines, MANY_MACHINES } from '../../protocol/node-set.ts';

/** Somebody reads a list and types a number; what was meant a minute ago may not be meant any more. */
export const CONFIRM_MS = 60_000;

export interface RunWish {
  readonly targets: string;
  readonly command: string;
}

interface Shown {
  readonly wish: RunWish;
  readonly names: readonly string[];
  readonly atMs: number;
}

type Confirmed = Pick<Shown, 'wish' | 'names'>;

/** One of a session: the next `run` takes the place of the one before it. */
export class Confirmation {
  readonly #clock: () => number;
  #shown: Shown | undefined;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** What is told before it starts, and whether it is to wait for a yes. */
  show(wish: RunWish, { places, reach }: Pick<Places, 'places' | 'reach'>): Showing {
    const names = namesOf(places);
    const list = wordsForPlaces(places);
    if (reach !== 'all' && places.length <= MANY_MACHINES)
      return { words: reach === 'names' ? '' : `${list}\n`, waits: false };
    this.#shown = { wish, names, atMs: this.#clock() };
    const count = places.length;
    const where = count === 1 ? 'there' : 'on all of them';
    const how = `Type confirm ${count} within ${CONFIRM_MS / 1_000} s to run it ${where}`;
    return { words: `${list}\n${how}\n`, waits: true };
  }

  /** A text says why nothing starts. Whatever the answer, it is given once. */
  confirm(count: number): Confirmed | string {
    const shown = this.#shown;
    this.#shown = undefined;
    if (shown === undefined) return 'no command waits for it';
    if (this.#clock() - shown.atMs > CONFIRM_MS) {
      return `it was to be typed within ${CONFIRM_MS / 1_000} s; nothing was started`;
    }
    const { length } = shown.names;
    if (count === length) return shown;
    return `${length === 1 ? '1 machine is' : `${length} machines are`} meant, not ${count}; nothing was started`;
  }

  /** Undefined: nothing waits. Else nothing of it starts any more, which is to be said. */
  drop(): string | undefined {
    const count = this.#shown?.names.length;
    this.#shown = undefined;
    if (count === undefined) return undefined;
    return `${count === 1 ? '1 machine was' : `${count} machines were`} not confirmed; nothing was started`;
  }
}

interface Showing {
  readonly words: string;
  readonly waits: boolean;
}

export function namesOf(places: readonly Place[]): string[] {
  return places.map(({ name }) => name);
}

export function wordsForPlaces(places: readonly Place[]): string {
  return formatMachines(places.map(({ name, runner }) => ({ name, isOffline: runner === undefined })));
}
