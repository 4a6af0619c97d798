// What was asked and is not answered yet, in order. It outlives connections: what may be asked twice is asked again on the
// next one, the rest is given back as unanswered. So is what was on the way when a rule was broken: it may be what broke it,
// and would break the next connection too, for ever.

import type { Method } from '../protocol/native/method.ts';
import { ClosedError, RefusedError, refusedBy, UnreachableError } from './errors.ts';
import type { Answer, Wire } from './wire.ts';

/**
 * Of the 64 that a server takes at once. The others are for what is asked beside this queue: 12 starts, or requests for
 * approval that come of them, as many waits for approval as an account may have, which is 10, a subscription. Pings, what
 * cancels a command or takes a request back, and sizes of terminals are answered as they are read, and take one place
 * however many they are.
 */
const MAX_IN_FLIGHT = 38;
/** Questions that wait: whoever asks more without waiting for an answer would only fill the memory. */
const MAX_WAITING = 10_000;

export interface Asking {
  /** Asking twice does what asking once does. */
  readonly mayRepeat: boolean;
}

interface Entry extends Asking {
  readonly method: string;
  readonly params: object;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  /** The connection that it was asked on. */
  on: Wire | undefined;
}

export class Requests {
  /** In the order in which they were asked. */
  readonly #entries = new Set<Entry>();
  #inFlight = 0;
  #wire: Wire | undefined;
  #closed: Error | undefined;

  async ask<Params extends object, Result>(
    method: Method<Params, Result>,
    params: Params,
    asking: Asking,
  ): Promise<Result> {
    return readResult(method, await this.#ask(method.name, params, asking));
  }

  #ask(method: string, params: object, { mayRepeat }: Asking): Promise<unknown> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    if (this.#entries.size >= MAX_WAITING) {
      const why = `Cannot ask for ${method}: ${MAX_WAITING} requests are waiting for an answer already`;
      return Promise.reject(new RefusedError('too-many-requests', why));
    }
    return new Promise((resolve, reject) => {
      this.#entries.add({ method, params, mayRepeat, resolve, reject, on: undefined });
      this.#pump();
    });
  }

  /** A connection is there. */
  attach(wire: Wire): void {
    this.#wire = wire;
    this.#pump();
  }

  /** It is gone; what was asked on it comes back by itself. */
  detach(): void {
    this.#wire = undefined;
  }

  /** Nothing is answered any more. */
  close(error: Error): void {
    this.#closed = error;
    this.#wire = undefined;
    for (const entry of this.#entries) entry.reject(error);
    this.#entries.clear();
  }

  #pump(): void {
    for (const entry of this.#entries) {
      if (this.#wire === undefined || this.#inFlight >= MAX_IN_FLIGHT) return;
      if (entry.on !== undefined) continue;
      entry.on = this.#wire;
      this.#inFlight += 1;
      void entry.on.request(entry.method, entry.params).then((answer) => this.#settle(entry, answer));
    }
  }

  #settle(entry: Entry, answer: Answer): void {
    this.#inFlight -= 1;
    if ('lost' in answer) {
      if (this.#wire === entry.on) this.#wire = undefined;
      entry.on = undefined;
      if (entry.mayRepeat && answer.isRuleBroken !== true) return this.#pump();
    }
    this.#entries.delete(entry);
    if ('result' in answer) entry.resolve(answer.result);
    else if ('error' in answer) entry.reject(refusedBy(answer.error));
    else entry.reject(this.#closed instanceof ClosedError ? this.#closed : unanswered(entry.method, answer.lost));
    this.#pump();
  }
}

/** What a method answered; a server that answers otherwise is none that can be talked to. */
export function readResult<Result>(
  method: Pick<Method<never, Result>, 'name' | 'parseResult'>,
  result: unknown,
): Result {
  const read = method.parseResult(result);
  if (read === undefined) throw new UnreachableError(`The server answered ${method.name} in a way not known here`);
  return read;
}

function unanswered(method: string, reason: string): UnreachableError {
  const what = `The server went away before it answered ${method}, which it may have done: ${reason}`;
  return new UnreachableError(what, { isUnanswered: true });
}
