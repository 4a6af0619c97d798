// The runs of a client, whichever connection it has: what is to start waits for one, and for the server to answer what
// was started before.

import { ClosedError, UnreachableError } from './errors.ts';
import { Runs } from './run.ts';
import type { Wire } from './wire.ts';

/** Starts, and requests for approval, that wait for an answer: of the 64 questions that a server takes at once those that no other queue asks. */
const MAX_UNANSWERED = 12;
/** Runs that wait for a connection: as many as questions may. */
const MAX_WAITING = 10_000;

export interface Startable {
  /** Settles when the server has answered. */
  begin(runs: Runs, wire: Wire): Promise<void>;
  /** It will never begin. */
  refuse(why: Refusal): void;
}

export interface Refusal {
  readonly code: 'too-many-runs' | 'closed' | 'unreachable';
  readonly reason: string;
}

export class Running {
  readonly #waiting = new Set<Startable>();
  #on: { readonly runs: Runs; readonly wire: Wire } | undefined;
  #unanswered = 0;
  #closed: Refusal | undefined;

  start(one: Startable): void {
    if (this.#closed !== undefined) return one.refuse(this.#closed);
    if (this.#waiting.size >= MAX_WAITING) {
      return one.refuse({ code: 'too-many-runs', reason: `${MAX_WAITING} runs wait for a connection already` });
    }
    this.#waiting.add(one);
    return this.#pump();
  }

  /** False: it has begun. */
  withdraw(one: Startable): boolean {
    return this.#waiting.delete(one);
  }

  /** A connection is there. */
  attach(wire: Wire): void {
    this.#on = { runs: new Runs(wire), wire };
    this.#pump();
  }

  /** It is gone; those that ran over it know. */
  detach(): void {
    this.#on = undefined;
  }

  /** Nothing begins any more. */
  close(error: Error): void {
    this.#on = undefined;
    this.#closed = { code: error instanceof ClosedError ? 'closed' : 'unreachable', reason: error.message };
    for (const one of this.#waiting) one.refuse(this.#closed);
    this.#waiting.clear();
  }

  #pump(): void {
    for (const one of this.#waiting) {
      if (this.#on === undefined || this.#on.runs.isGone || this.#unanswered >= MAX_UNANSWERED) return;
      this.#waiting.delete(one);
      this.#unanswered += 1;
      void one.begin(this.#on.runs, this.#on.wire).then(() => {
        this.#unanswered -= 1;
        this.#pump();
      });
    }
  }
}

/** Runs that are on record as one, as far as they are on one connection. */
export class Together {
  #runs: Runs | undefined;
  #number = 0;

  on(runs: Runs): number {
    if (runs !== this.#runs) this.#number = runs.newTogether();
    this.#runs = runs;
    return this.#number;
  }
}

/** Of what is read of a run whose connection has gone. */
export function lostError(reason: string): UnreachableError {
  return new UnreachableError(`The rest of the output is lost: ${reason}`, { isUnanswered: true });
}
