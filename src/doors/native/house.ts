// What the sessions of this door need of the house they are in.

import type { Accounts } from '../../core/accounts.ts';
import type { Passwords } from '../../core/credentials.ts';
import type { Guesses } from '../../core/guesses.ts';
import type { Hosts } from '../../core/hosts.ts';
import type { Hub } from '../../core/hub.ts';
import type { Journal } from '../../core/journal.ts';
import type { Runner } from '../../core/ports.ts';
import type { Rate } from '../../core/rate.ts';
import type { Approvals } from '../../core/run/approvals.ts';
import type { RunPolicy } from '../../core/run/policy.ts';
import type { Detachments } from '../../core/run/detachments.ts';
import type { Records } from '../../core/run/records.ts';
import type { Log } from '../../log/log.ts';
import type { OwnerToken } from '../../net/owner.ts';

export interface House {
  readonly hub: Hub;
  readonly accounts: Accounts;
  readonly hosts: Hosts;
  /** For reading; what is written goes through the hub and the records. */
  readonly journal: Pick<Journal, 'history' | 'search' | 'runs' | 'run' | 'output'>;
  readonly journalId: string;
  readonly records: Records;
  readonly detachments: Detachments;
  readonly passwords: Passwords;
  /** One for all doors. */
  readonly guesses: Guesses;
  readonly token: OwnerToken;
  /** Of the server's own key, as a machine that joins is to know it. */
  readonly fingerprint: () => string;
  /** Of the server itself. */
  readonly runner: Runner;
  readonly policy: RunPolicy;
  /** One for all doors. */
  readonly approvals: Approvals;
  readonly log: Log;
  /** URLs of the addresses that are bound. */
  readonly listening: () => readonly string[];
  /** The time of day. */
  readonly now: () => number;
  /** Milliseconds that never run backwards. */
  readonly clock: () => number;
  /** Requests a sender from beyond loopback may make before it is read more slowly. */
  readonly rate?: Rate;
  /** Milliseconds until a connection must have shown who it is. */
  readonly roleTimeoutMs: number;
  /** Milliseconds that an answer may wait for those who are here to say that they have the message. */
  readonly receiptWaitMs: number;
}
