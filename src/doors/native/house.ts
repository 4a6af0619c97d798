// What the sessions of this door need of the house beside what every door does.

import type { Detachments } from '../../core/run/detachments.ts';
import type { OwnerToken } from '../../net/owner.ts';
import type { House as AnyHouse } from '../shared/house.ts';

export interface House extends AnyHouse {
  readonly journalId: string;
  readonly detachments: Detachments;
  readonly token: OwnerToken;
  /** Of the server's own key, as a machine that joins is to know it. */
  readonly fingerprint: () => string;
  /** URLs of the addresses that are bound, and each name that it was told. */
  readonly listening: () => { readonly urls: readonly string[]; readonly names: readonly string[] };
  /** Milliseconds until a connection must have shown who it is. */
  readonly roleTimeoutMs: number;
  /** Milliseconds that an answer may wait for those who are here to say that they have the message. */
  readonly receiptWaitMs: number;
}
