// What the sessions of this door need of the house they are in.

import type { Runner } from '../../core/ports.ts';
import type { Log } from '../../log/log.ts';
import type { OwnerToken } from '../../net/owner.ts';

export interface House {
  readonly serverName: string;
  readonly ownerName: string;
  readonly token: OwnerToken;
  readonly runner: Runner;
  readonly log: Log;
  /** Milliseconds until a connection must have shown who it is. */
  readonly roleTimeoutMs: number;
}
