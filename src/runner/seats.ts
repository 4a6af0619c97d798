// Where the runner process sits: in the cgroup of the command that comes next, which is therefore born in it, and not
// moved there when it may have children already. Then it moves on, unless the command is over first and nobody is left:
// the next one is born in the same place. To move takes up to a grace period of the kernel's (13 ms when nobody has moved
// lately), so it is done beside the event loop, and what is to be started waits.

import { closeSync, mkdirSync, openSync, readSync, write, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { killCgroup, removeCgroup } from './cgroup.ts';
import { wordsFor } from './errors.ts';

/** Making a cgroup and removing it costs twice what moving does; so many wait to be used again. */
const MAX_FREE = 16;
/** `populated 0` and `frozen 0`, a line each. */
const MAX_EVENTS_BYTES = 64;
const eventsBytes = Buffer.alloc(MAX_EVENTS_BYTES);

/** The cgroup of one run. */
export interface Seat {
  readonly path: string;
  /** Its `cgroup.procs` and its `cgroup.events`, open. */
  readonly door: number;
  readonly events: number;
  /** Of the runner process itself and its mkfifo(1), how many are, or may be, in there: such a one is not killed whole. */
  ours: number;
  /** It could not be left, and so the commands that come now are in it too. */
  isShared: boolean;
  /** Its command is over, and nobody but our own was in there when it was looked at last. */
  isDeserted: boolean;
}

export interface SeatsOptions {
  /** The cgroup in which those of the runs are made. */
  readonly tree: string;
  /** Sits, or will never again: whoever waited may go on. */
  readonly onSettled: () => void;
  readonly onFailed: (reason: string) => void;
}

export class Seats {
  readonly #options: SeatsOptions;
  readonly #free: Seat[] = [];
  readonly #unremoved = new Set<Seat>();
  #current: Seat | undefined;
  #phase: 'moving' | 'seated' | 'failed' = 'moving';
  #made = 0;
  /** A command was born where we sit, and it or what it left may be there. */
  #isTaken = false;

  constructor(options: SeatsOptions) {
    this.#options = options;
    this.moveOn();
  }

  get isMoving(): boolean {
    return this.#phase === 'moving';
  }

  /** Where what is started now is born; undefined: not in a cgroup of its own. */
  get current(): Seat | undefined {
    return this.#phase === 'failed' ? undefined : this.#current;
  }

  /** The current one has its command: no other is to be born there before that is over. */
  take(): void {
    if (this.#phase !== 'seated' || this.#current === undefined) return;
    this.#isTaken = true;
    this.#current.isDeserted = false;
  }

  get isTaken(): boolean {
    return this.#isTaken;
  }

  /** To the next one, if this is where we sit. */
  leave(seat: Seat): void {
    if (this.#phase === 'seated' && seat === this.#current) this.moveOn();
  }

  moveOn(): void {
    if (this.#phase === 'failed') return;
    this.#phase = 'moving';
    this.#isTaken = false;
    let seat: Seat;
    try {
      seat = this.#free.pop() ?? makeSeat(`${this.#options.tree}/${this.#made++}`);
    } catch (error) {
      return this.#fail(wordsFor(error));
    }
    seat.ours += 1;
    // 0 is whoever writes it, with all its threads.
    write(seat.door, '0', (error) => {
      const left = this.#current;
      if (error !== null) {
        dispose(seat);
        return this.#fail(wordsFor(error));
      }
      this.#current = seat;
      this.#phase = 'seated';
      if (left !== undefined) left.ours -= 1;
      this.#removeMore();
      this.#options.onSettled();
    });
  }

  /** Its run is over. What is still in there when it is to be removed is ours, or hangs in the kernel. */
  release(seat: Seat): void {
    if (this.#phase === 'seated' && seat === this.#current && seat.isDeserted) {
      this.#isTaken = false;
      return;
    }
    this.#unremoved.add(seat);
    this.#removeMore();
    this.leave(seat);
  }

  /** Everyone who is in one of them. */
  kill(): void {
    this.#leaveAll();
    killCgroup(this.#options.tree);
  }

  /** At the end of this process: what is empty is removed. */
  remove(): void {
    this.#leaveAll();
    removeCgroup(this.#options.tree);
  }

  /** Back to where this process came from. */
  #leaveAll(): void {
    try {
      writeFileSync(`${dirname(this.#options.tree)}/cgroup.procs`, '0');
    } catch {
      // Whoever comes next removes what is left.
    }
  }

  #removeMore(): void {
    for (const seat of this.#unremoved) {
      if (seat.ours > 0 || !isEmpty(seat)) continue;
      if (this.#free.length < MAX_FREE) this.#free.push(seat);
      else if (!dispose(seat)) continue;
      this.#unremoved.delete(seat);
    }
  }

  #fail(reason: string): void {
    this.#phase = 'failed';
    if (this.#current !== undefined) this.#current.isShared = true;
    this.#options.onFailed(reason);
    this.#options.onSettled();
  }
}

/** Nobody is in there or in what it contains, and nobody who comes would be frozen. */
export function isEmpty({ events }: Seat): boolean {
  try {
    const length = readSync(events, eventsBytes, 0, MAX_EVENTS_BYTES, 0);
    return eventsBytes.toString('latin1', 0, length) === 'populated 0\nfrozen 0\n';
  } catch {
    // Somebody else has removed it, which only goes when nobody is in there.
    return true;
  }
}

function makeSeat(path: string): Seat {
  mkdirSync(path);
  try {
    const door = openSync(`${path}/cgroup.procs`, 'w');
    return { path, door, events: openSync(`${path}/cgroup.events`, 'r'), ours: 0, isShared: false, isDeserted: false };
  } catch (error) {
    removeCgroup(path);
    throw error;
  }
}

function dispose({ path, door, events }: Seat): boolean {
  if (!removeCgroup(path)) return false;
  closeSync(door);
  closeSync(events);
  return true;
}
