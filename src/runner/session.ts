// The session of one command, with all its process groups, and how it is ended: HUP as from a terminal that went away,
// TERM shortly after, KILL for what is still there when the grace is over. Where the system does not tell who is in a
// session, the process group of the command stands for it.

import { errorOfKill, lookAtSessions, type Member, tellsSessions } from './members.ts';

/** Long enough for a shell that takes HUP to be gone, short enough not to be felt. */
const TERM_AFTER_MS = 250;
/** From KILL to giving up what hangs in the kernel or belongs to another user. */
const UNKILLABLE_MS = 400;

export class Session {
  readonly #leader: number;
  readonly #onFinished: () => void;
  #isLeaderReaped = false;
  #phase: 'alive' | 'ending' | 'killing' | 'finished' = 'alive';
  #term: NodeJS.Timeout | undefined;
  #kill: NodeJS.Timeout | undefined;
  #killAt = Infinity;
  #isLooking = false;
  /** What the groups that nobody has looked for yet are still to be sent. */
  #unsent: NodeJS.Signals | undefined;

  /** `leader` is the command's process id; `onFinished` is called once, when there is nothing more to do. */
  constructor(leader: number, onFinished: () => void) {
    this.#leader = leader;
    this.#onFinished = onFinished;
  }

  leaderExited(): void {
    this.#isLeaderReaped = true;
    // An empty session's number may be a stranger's soon.
    if (tellsSessions) this.#look();
    else this.#signal(0);
  }

  /** May be called again; a shorter grace then holds. */
  end(graceMs: number): void {
    if (this.#phase === 'alive') {
      this.#phase = 'ending';
      this.#term = setTimeout(() => this.#signal('SIGTERM'), Math.min(TERM_AFTER_MS, graceMs / 2));
      this.#signal('SIGHUP');
    }
    const killAt = performance.now() + graceMs;
    if (this.#phase !== 'ending' || killAt >= this.#killAt) return;
    this.#killAt = killAt;
    clearTimeout(this.#kill);
    this.#kill = setTimeout(() => this.#killAll(), graceMs);
  }

  #killAll(): void {
    this.#phase = 'killing';
    this.#kill = setTimeout(() => this.#finish(), UNKILLABLE_MS);
    this.#signal('SIGKILL');
    if (!tellsSessions) this.#finish();
  }

  /** To the leader's group now, to the others as soon as they are known. */
  #signal(signal: NodeJS.Signals | 0): void {
    if (this.#phase === 'finished') return;
    if (this.#isStrangers()) return this.#finish();
    const error = errorOfKill(-this.#leader, signal);
    if (tellsSessions) {
      this.#unsent = signal || undefined;
      this.#look();
    } else if (error === 'ESRCH') {
      // That there is such a group proves little: zombies keep it where nobody reaps them.
      this.#finish();
    }
  }

  #look(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    lookAtSessions((sessions) => {
      this.#isLooking = false;
      this.#see(sessions.get(this.#leader) ?? []);
    });
  }

  #see(members: readonly Member[]): void {
    if (this.#phase === 'finished') return;
    if (this.#isLeaderReaped && (members.length === 0 || this.#isStrangers())) return this.#finish();
    if (this.#unsent !== undefined) {
      for (const group of new Set(members.map((member) => member.group))) {
        // A group is of one session only. The leader's has been sent it; KILL is for those too who came since.
        if (group !== this.#leader || this.#unsent === 'SIGKILL') errorOfKill(-group, this.#unsent);
      }
    }
    if (this.#phase === 'killing') this.#look();
    else this.#unsent = undefined;
  }

  /**
   * While anybody is in the session its number is not given to a new process: once the leader is reaped, a process of
   * that number is a stranger's, and so is the session.
   */
  #isStrangers(): boolean {
    return this.#isLeaderReaped && errorOfKill(this.#leader, 0) !== 'ESRCH';
  }

  #finish(): void {
    if (this.#phase === 'finished') return;
    this.#phase = 'finished';
    clearTimeout(this.#term);
    clearTimeout(this.#kill);
    this.#onFinished();
  }
}
