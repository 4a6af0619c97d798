// What a door needs of the house that it leads into: the core, who may do what, and the clock. The same for every door where
// one comes in by name; what a single door needs beside that it says itself.

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
import type { Records } from '../../core/run/records.ts';
import type { Log } from '../../log/log.ts';

export interface House {
  readonly hub: Hub;
  readonly accounts: Accounts;
  readonly hosts: Hosts;
  /** For reading; what is written goes through the hub and the records. */
  readonly journal: Pick<Journal, 'history' | 'search' | 'runs' | 'run' | 'output'>;
  readonly records: Records;
  readonly passwords: Passwords;
  readonly guesses: Guesses;
  /** Of the server itself. */
  readonly runner: Runner;
  readonly policy: RunPolicy;
  readonly approvals: Approvals;
  readonly log: Log;
  /** The time of day. */
  readonly now: () => number;
  /** Milliseconds that never run backwards. */
  readonly clock: () => number;
  /** Lines or requests that a sender from beyond loopback may make before it is read more slowly. */
  readonly rate?: Rate;
}
