// What a connection of the line door needs of its door, and the door of the house.

import type { Accounts } from '../../core/accounts.ts';
import type { Passwords } from '../../core/credentials.ts';
import type { Said } from '../../core/event.ts';
import type { Guesses } from '../../core/guesses.ts';
import type { Hosts } from '../../core/hosts.ts';
import type { Hub } from '../../core/hub.ts';
import type { Journal } from '../../core/journal.ts';
import type { OwnerCredential, Runner } from '../../core/ports.ts';
import type { Rate } from '../../core/rate.ts';
import type { Approvals } from '../../core/run/approvals.ts';
import type { RunPolicy } from '../../core/run/policy.ts';
import type { Records } from '../../core/run/records.ts';
import type { Outlet } from '../../core/session.ts';
import type { Log } from '../../log/log.ts';
import type { LineConnection } from './connection.ts';
import type { Fanout, Lane } from './fanout.ts';

export interface House {
  readonly hub: Hub;
  readonly accounts: Accounts;
  readonly hosts: Hosts;
  /** For reading; what is written goes through the hub and the records. */
  readonly journal: Pick<Journal, 'history' | 'search' | 'runs' | 'run' | 'output'>;
  readonly records: Records;
  readonly passwords: Passwords;
  /** One for all doors. */
  readonly guesses: Guesses;
  readonly owner: OwnerCredential;
  /** Of the server itself. */
  readonly runner: Runner;
  readonly policy: RunPolicy;
  /** One for all doors. */
  readonly approvals: Approvals;
  readonly log: Log;
  /** The time of day, for dates. */
  readonly now: () => number;
  /** Milliseconds that never run backwards, for waits. */
  readonly clock: () => number;
  /** Lines a sender from beyond loopback may send before it is read more slowly. */
  readonly rate?: Rate;
}

export interface LineRoom extends Outlet {
  readonly house: House;
  readonly fanout: Fanout;
  /** The same words for everyone who is told the same. */
  wordsFor(said: Said): string;
  /** The same with the message's id, for those who want to know. */
  markedWordsFor(said: Said): string;
  /** Whether the connection wants ids with the messages. */
  mark(connection: LineConnection, wantsIds: boolean): void;
  /** The connection has a name now, or has gone. */
  named(connection: Lane): void;
  forget(connection: Lane): void;
}
