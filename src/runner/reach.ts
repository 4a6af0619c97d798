// Who belongs to a run, in the two ways that Linux has of telling it.

import { killCgroup, pidsIn } from './cgroup.ts';
import { errorOfKill, keyOf, lookAtEveryone, type Member, memberOf } from './members.ts';
import { isEmpty, type Seat } from './seats.ts';

export interface Look {
  readonly isUrgent: boolean;
  /** The leader is reaped: its number may be a stranger's. */
  readonly isLeaderReaped: boolean;
}

export interface Reach {
  /** Says soon who is alive. */
  look(how: Look, tell: (members: readonly Member[]) => void): void;
  /** KILL for everyone in one go; false: whoever is found has to be sent it. */
  kill(): boolean;
}

/** By the mark in the environment, the session of the command, and who started whom. */
export class MarkReach implements Reach {
  readonly #mark: string;
  readonly #leader: number;
  /** Found once it stays found, whatever it executes next. */
  #known = new Set<string>();

  constructor({ mark, leader }: { mark: string; leader: number }) {
    this.#mark = mark;
    this.#leader = leader;
  }

  look({ isUrgent, isLeaderReaped }: Look, tell: (members: readonly Member[]) => void): void {
    lookAtEveryone(
      (snapshot) => {
        // While anybody is in the session its number is not given to a new process.
        const isStrangers = isLeaderReaped && errorOfKill(this.#leader, 0) !== 'ESRCH';
        const members = snapshot.of({
          isOne: (member) => member.marks.includes(this.#mark) || this.#known.has(keyOf(member)),
          sessions: isStrangers ? [] : [this.#leader],
        });
        this.#known = new Set(members.map(keyOf));
        tell(members);
      },
      { isUrgent },
    );
  }

  kill(): boolean {
    return false;
  }
}

/** Between two looks into a cgroup, which cost a few microseconds each. */
const LOOK_MS = 10;

/** By the cgroup that the command was born in; by the mark where others came to be in there too. */
export class CgroupReach implements Reach {
  readonly #seat: Seat;
  readonly #byMark: MarkReach;
  readonly #own: ReadonlySet<number>;

  /** `own` are the processes of the runner itself that may be in there. */
  constructor({ seat, byMark, own }: { seat: Seat; byMark: MarkReach; own: ReadonlySet<number> }) {
    this.#seat = seat;
    this.#byMark = byMark;
    this.#own = own;
  }

  look(how: Look, tell: (members: readonly Member[]) => void): void {
    if (this.#seat.isShared) return this.#byMark.look(how, tell);
    // The common case, at once: nobody is left.
    if (how.isLeaderReaped && !how.isUrgent) {
      this.#seat.isDeserted = this.#isDeserted();
      if (this.#seat.isDeserted) return queueMicrotask(() => tell([]));
    }
    setTimeout(() => this.#look(how, tell), how.isUrgent ? 0 : LOOK_MS);
  }

  /**
   * A command is mostly quicker than our own moving on, and then we are still in there: those in it are read. Nobody is missed,
   * since whoever is started stands behind all others in that list; one that is not to be had has nobody of ours in it.
   */
  #isDeserted(): boolean {
    if (isEmpty(this.#seat)) return true;
    const pids = this.#seat.ours === 0 ? [] : pidsIn(this.#seat.path);
    return pids.length > 0 && pids.every((pid) => this.#own.has(pid));
  }

  #look(how: Look, tell: (members: readonly Member[]) => void): void {
    const members = this.#members();
    // Whoever may write to cgroups can have made this one such that it does not say who is in it.
    if (members.length === 0 && this.#isWhole() && !isEmpty(this.#seat)) return this.#byMark.look(how, tell);
    tell(members);
  }

  kill(): boolean {
    return this.#isWhole() && killCgroup(this.#seat.path);
  }

  #isWhole(): boolean {
    return this.#seat.ours === 0 && !this.#seat.isShared;
  }

  #members(): Member[] {
    return pidsIn(this.#seat.path)
      .filter((pid) => pid > 0 && !this.#own.has(pid))
      .map((pid) => memberOf(pid) ?? { pid, parent: 0, group: 0, session: 0, started: 0 });
  }
}
