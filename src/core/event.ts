// What happens, as told to those whom it concerns.

import type { MessageId, StoredMessage } from './journal.ts';
import type { Name } from './name.ts';

export type Cast = 'singlecast' | 'multicast' | 'broadcast';

/** Somebody said something, and it is stored. One object for all who are told it, so that a door may word it once. */
export type Said = StoredMessage;

/**
 * `delivered`: written to a line connection, or acknowledged by a native one. `stored`: it waits in the journal.
 * A guest that has left gets nothing any more; what was meant for it stays stored.
 */
export type Outcome = 'delivered' | 'stored';

/** The one answer to a message: its id, and what has become of it for each of those it was addressed to. */
export interface Receipt {
  readonly type: 'receipt';
  readonly id: MessageId;
  readonly atMs: number;
  /**
   * By name; of a broadcast `all`, which is delivered when every account and everyone present has it. Empty for a
   * session that neither acknowledges nor wants receipts.
   */
  readonly outcomes: ReadonlyMap<string, Outcome>;
  /** It had been sent before under the same key, and was not sent again. */
  readonly isRepeat: boolean;
}

/** A member of this group now, or no longer; with whom. */
export interface GroupChanged {
  readonly type: 'joined' | 'left';
  readonly group: string;
  /** Undefined: it was whoever asked. */
  readonly machine?: Name;
}

/** A member came or went: told to the server's console, not to the members. */
export type Presence = { readonly type: 'arrived' | 'left'; readonly name: Name };
