// The machines that have joined: which of them are connected, what is known of the others, and how a command gets to one.

import type { Directory } from './directory.ts';
import type { Change, Journal } from './journal.ts';
import type { NameKey } from './name.ts';
import type { Runner } from './ports.ts';
import type { DetachedRunner } from './run/detached.ts';
import type { Member, Session } from './session.ts';

/**
 * Milliseconds from one time that the journal is told which machines are still here to the next: after a server was killed
 * it is known so well when each was last seen. All of them are one transaction, so many machines are no more syncs.
 */
export const SEEN_AGAIN_MS = 60_000;

/** A joined machine's connection. */
export interface Machine {
  readonly runner: Pick<Runner, 'start'>;
  readonly detached: DetachedRunner;
  readonly labels: ReadonlyMap<string, string>;
  readonly family: Session['family'];
  /** Milliseconds of the last round trip; undefined before the first. */
  readonly rttMs: number | undefined;
  readonly heardAtMs: number;
  /** It may stay no longer; why, in words. */
  dismiss(reason: string): void;
}

export interface HostState {
  readonly member: Member;
  /** Undefined: it is not connected. */
  readonly machine: Machine | undefined;
  /** As it says, or said when it was last here. */
  readonly labels: ReadonlyMap<string, string>;
  /** Undefined: it has never been. */
  readonly seenAtMs: number | undefined;
}

export interface HostsWorld {
  readonly directory: Directory;
  readonly journal: Pick<Journal, 'record'>;
}

export class Hosts {
  readonly #directory: Directory;
  readonly #journal: Pick<Journal, 'record'>;
  readonly #machines = new Map<NameKey, Machine>();
  #savedMs = -Infinity;

  constructor({ directory, journal }: HostsWorld) {
    this.#directory = directory;
    this.#journal = journal;
  }

  /** A machine that comes back before it is known to be gone takes its own place. */
  enter(member: Member, machine: Machine): void {
    this.#machines.get(member.key)?.dismiss('another connection with the key of this machine has taken its place');
    this.#machines.set(member.key, machine);
    this.#record([seenNow(member, machine)]);
  }

  leave(member: Member, machine: Machine): void {
    if (this.#machines.get(member.key) !== machine) return;
    this.#machines.delete(member.key);
    this.#record([seenNow(member, machine)]);
  }

  /** Writes down who is still here, where it is time again. To be called now and then. */
  save(nowMs: number): void {
    if (nowMs - this.#savedMs < SEEN_AGAIN_MS) return;
    this.#savedMs = nowMs;
    const changes: Change[] = [];
    for (const [key, machine] of this.#machines) {
      const member = this.#directory.account(key);
      const isNews = member !== undefined && machine.heardAtMs > (this.#directory.machine(member)?.atMs ?? -Infinity);
      if (isNews) changes.push(seenNow(member, machine));
    }
    if (changes.length > 0) this.#record(changes);
  }

  /** Undefined: no machine of that name has joined. */
  of(key: NameKey): HostState | undefined {
    const member = this.#directory.account(key);
    return member !== undefined && isJoined(member) ? this.#stateOf(member) : undefined;
  }

  /** All that have joined, connected or not. */
  *all(): Iterable<HostState> {
    for (const member of this.#directory.accounts) if (isJoined(member)) yield this.#stateOf(member);
  }

  #stateOf(member: Member): HostState {
    const machine = this.#machines.get(member.key);
    const seen = this.#directory.machine(member);
    const labels = machine?.labels ?? seen?.labels ?? NO_LABELS;
    return { member, machine, labels, seenAtMs: machine?.heardAtMs ?? seen?.atMs };
  }

  /** True from now on; where it cannot be written it is true until the server ends, and the journal's health says why. */
  #record(changes: readonly Change[]): void {
    for (const change of changes) this.#directory.apply(change);
    this.#journal.record(changes, () => {});
  }
}

function seenNow({ id }: Member, { labels, heardAtMs }: Machine): Change {
  return { type: 'machine-seen', seen: { account: id, labels, atMs: heardAtMs } };
}

const NO_LABELS: ReadonlyMap<string, string> = new Map();

function isJoined({ account }: Member): boolean {
  return account?.kind === 'host' && account.revokedAtMs === undefined;
}
