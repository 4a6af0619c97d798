// The process group of one run, and how it is ended: HUP as from a terminal that went away, TERM shortly after, KILL
// for what is still there when the grace is over.

import { codeOf } from './errors.ts';

/** Long enough for a shell that takes HUP to be gone, short enough not to be felt. */
const TERM_AFTER_MS = 250;

export class Group {
  readonly #id: number;
  readonly #onFinished: () => void;
  #isLeaderReaped = false;
  #phase: 'alive' | 'ending' | 'finished' = 'alive';
  #term: NodeJS.Timeout | undefined;
  #kill: NodeJS.Timeout | undefined;
  #killAt = Infinity;

  /** `id` is the leader's process id; `onFinished` is called once, when there is nothing more to do. */
  constructor(id: number, onFinished: () => void) {
    this.#id = id;
    this.#onFinished = onFinished;
  }

  leaderExited(): void {
    this.#isLeaderReaped = true;
    // An empty group's number may be a stranger's soon.
    this.#signal(0);
  }

  /** May be called again; a shorter grace then holds. */
  end(graceMs: number): void {
    if (this.#phase === 'finished') return;
    if (this.#phase === 'alive') {
      this.#phase = 'ending';
      this.#signal('SIGHUP');
      this.#term = setTimeout(() => this.#signal('SIGTERM'), Math.min(TERM_AFTER_MS, graceMs / 2));
    }
    const killAt = performance.now() + graceMs;
    if (this.#isFinished() || killAt >= this.#killAt) return this.#stopTimersIfFinished();
    this.#killAt = killAt;
    clearTimeout(this.#kill);
    this.#kill = setTimeout(() => {
      this.#signal('SIGKILL');
      this.#finish();
    }, graceMs);
  }

  /**
   * No such group is the proof that nothing is left; that there is one proves little, since zombies keep it where
   * nobody reaps them. While the group lives its number is not given to a new process: once the leader is reaped, a
   * process of that number is a stranger's, and so is the group.
   */
  #signal(signal: NodeJS.Signals | 0): void {
    if (this.#phase === 'finished') return;
    if (this.#isLeaderReaped && errorOfKill(this.#id, 0) !== 'ESRCH') return this.#finish();
    if (errorOfKill(-this.#id, signal) === 'ESRCH') this.#finish();
  }

  #isFinished(): boolean {
    return this.#phase === 'finished';
  }

  #stopTimersIfFinished(): void {
    if (!this.#isFinished()) return;
    clearTimeout(this.#term);
    clearTimeout(this.#kill);
  }

  #finish(): void {
    if (this.#phase === 'finished') return;
    this.#phase = 'finished';
    this.#stopTimersIfFinished();
    this.#onFinished();
  }
}

/** The code of what kill(2) says, or undefined when it did as asked. */
export function errorOfKill(id: number, signal: NodeJS.Signals | 0): string | undefined {
  try {
    process.kill(id, signal);
    return undefined;
  } catch (error) {
    return codeOf(error) || 'unknown';
  }
}
