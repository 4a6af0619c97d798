// One command with everything that it started, and how that is ended: HUP as from a terminal that went away, TERM shortly
// after, KILL for what is still there when the grace is over, until nobody new is found. Where the system does not tell
// who that is, the process group of the command stands for it.

import { errorOfKill, keyOf, type Member } from './members.ts';
import type { Reach } from './reach.ts';

/** Long enough for a shell that takes HUP to be gone, short enough not to be felt. */
const TERM_AFTER_MS = 250;
/** From the last KILL to giving up what hangs in the kernel or belongs to another user. */
const UNKILLABLE_MS = 400;
/** From the first KILL to giving up what is started faster than it is ended; with the grace it is less than 10 s. */
const MAX_KILLING_MS = 2_500;

export interface SessionOptions {
  /** The command's process id. */
  readonly leader: number;
  /** Undefined: the system does not tell who was started. */
  readonly reach: Reach | undefined;
  /** Called once, when there is nothing more to do. */
  readonly onFinished: () => void;
}

export class Session {
  readonly #leader: number;
  readonly #reach: Reach | undefined;
  readonly #onFinished: () => void;
  #isLeaderReaped = false;
  #phase: 'alive' | 'ending' | 'killing' | 'finished' = 'alive';
  #term: NodeJS.Timeout | undefined;
  #kill: NodeJS.Timeout | undefined;
  #killAt = Infinity;
  /** What whoever is found next is still to be sent. */
  #unsent: NodeJS.Signals | undefined;
  readonly #killed = new Set<string>();
  #giveUpAt = Infinity;

  constructor({ leader, reach, onFinished }: SessionOptions) {
    this.#leader = leader;
    this.#reach = reach;
    this.#onFinished = onFinished;
  }

  leaderExited(): void {
    this.#isLeaderReaped = true;
    if (this.#reach !== undefined) this.#look(false);
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
    clearTimeout(this.#term);
    this.#giveUpAt = performance.now() + MAX_KILLING_MS;
    this.#kill = setTimeout(() => this.#finish(), UNKILLABLE_MS);
    if (this.#reach === undefined) {
      this.#signal('SIGKILL');
      return this.#finish();
    }
    this.#reach.kill();
    return this.#lookForMore(true);
  }

  /** To everyone, as soon as they are known. */
  #signal(signal: NodeJS.Signals | 0): void {
    if (this.#phase === 'finished') return;
    if (this.#reach === undefined) {
      // That there is such a group proves little: zombies keep it where nobody reaps them.
      if (this.#isStrangers() || errorOfKill(-this.#leader, signal) === 'ESRCH') this.#finish();
      return;
    }
    // Whoever has a parent that is about to be gone is found first. After most commands nobody is left, and no hurry.
    this.#unsent = signal || undefined;
    this.#look(!this.#isLeaderReaped);
  }

  #look(isUrgent: boolean): void {
    const how = { isUrgent, isLeaderReaped: this.#isLeaderReaped };
    this.#reach?.look(how, (members) => this.#see(members));
  }

  #see(members: readonly Member[]): void {
    if (this.#phase === 'finished') return;
    if (this.#isLeaderReaped && members.length === 0) return this.#finish();
    if (this.#unsent !== undefined) this.#send(this.#unsent, members);
    this.#unsent = undefined;
  }

  #send(signal: NodeJS.Signals, members: readonly Member[]): void {
    for (const [group, those] of Map.groupBy(members, (member) => member.group)) {
      // A group is of one session only, and that of this run. Where it is not told each is sent it alone.
      if (group > 0) errorOfKill(-group, signal);
      else for (const { pid } of those) errorOfKill(pid, signal);
    }
  }

  #lookForMore(isUrgent: boolean): void {
    const how = { isUrgent, isLeaderReaped: this.#isLeaderReaped };
    this.#reach?.look(how, (members) => {
      if (this.#phase !== 'killing') return;
      if (this.#isLeaderReaped && members.length === 0) this.#finish();
      else this.#killMore(members);
    });
  }

  /** Until nobody is new: whoever forks faster than it is looked for is looked for without a rest. */
  #killMore(members: readonly Member[]): void {
    const fresh = members.filter((member) => !this.#killed.has(keyOf(member)));
    for (const member of fresh) this.#killed.add(keyOf(member));
    if (this.#reach?.kill() !== true) this.#send('SIGKILL', members);
    const isUrgent = fresh.length > 0 && performance.now() < this.#giveUpAt;
    if (isUrgent) this.#kill?.refresh();
    this.#lookForMore(isUrgent);
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
