// What happens, as told to those whom it concerns.

import type { Name } from './name.ts';

export type Cast = 'singlecast' | 'multicast' | 'broadcast';

/** Somebody said something. One object for all who are told it, so that a door may word it once. */
export interface Said {
  readonly type: 'said';
  readonly from: Name;
  readonly cast: Cast;
  readonly text: string;
  readonly atMs: number;
}

/** A member came or went: told to the server's console, not to the members. */
export type Presence = { readonly type: 'arrived' | 'left'; readonly name: Name };
