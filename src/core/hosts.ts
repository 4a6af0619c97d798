// The machines that have joined: which of them are connected, and how a command gets to one.

import type { Directory } from './directory.ts';
import type { NameKey } from './name.ts';
import type { Runner } from './ports.ts';
import type { Member, Session } from './session.ts';

/** A joined machine's connection. */
export interface Machine {
  readonly runner: Pick<Runner, 'start'>;
  readonly labels: ReadonlyMap<string, string>;
  readonly family: Session['family'];
  /** Milliseconds of the last round trip; undefined before the first. */
  readonly rttMs: number | undefined;
  /** It may stay no longer; why, in words. */
  dismiss(reason: string): void;
}

export interface HostState {
  readonly member: Member;
  /** Undefined: it is not connected. */
  readonly machine: Machine | undefined;
}

export class Hosts {
  readonly #directory: Directory;
  readonly #machines = new Map<NameKey, Machine>();

  constructor(directory: Directory) {
    this.#directory = directory;
  }

  /** A machine that comes back before it is known to be gone takes its own place. */
  enter({ key }: Member, machine: Machine): void {
    this.#machines.get(key)?.dismiss('it has connected anew');
    this.#machines.set(key, machine);
  }

  leave({ key }: Member, machine: Machine): void {
    if (this.#machines.get(key) === machine) this.#machines.delete(key);
  }

  /** Undefined: no machine of that name has joined. */
  of(key: NameKey): HostState | undefined {
    const member = this.#directory.account(key);
    return member !== undefined && isJoined(member) ? { member, machine: this.#machines.get(key) } : undefined;
  }

  /** All that have joined, connected or not. */
  *all(): Iterable<HostState> {
    for (const member of this.#directory.accounts) {
      if (isJoined(member)) yield { member, machine: this.#machines.get(member.key) };
    }
  }
}

function isJoined({ account }: Member): boolean {
  return account?.kind === 'host' && account.revokedAtMs === undefined;
}
