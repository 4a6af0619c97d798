// Which address to try when: Happy Eyeballs (RFC 8305 sections 4 and 5) as a machine without sockets or clock. It is
// told what happened and when; it answers with what to do next.

import type { Failure, FailureKind } from './reason.ts';

export type AddressFamily = 4 | 6;

export interface Candidate {
  readonly address: string;
  readonly family: AddressFamily;
}

/** Times are milliseconds since the dialling began. */
export type Attempt = Candidate & { readonly startedAtMs: number } & End;

type End = { readonly endedAtMs: number } & (
  | { readonly outcome: 'connected'; readonly reason?: undefined }
  /** Why, in words, and what that says about where the trouble is. */
  | { readonly outcome: 'failed' | 'cancelled'; readonly reason: string; readonly kind: FailureKind }
);

export type RaceStep =
  | { do: 'connect'; index: number; to: Candidate }
  | { do: 'cancel'; index: number }
  | { do: 'won'; index: number }
  | { do: 'lost' };

/** RFC 8305 section 8: recommended; never under 100 ms, and hardly ever over 2 s. */
export const CONNECTION_ATTEMPT_DELAY_MS = 250;

type Lane = Candidate & { startedAtMs: number; end?: End };

const OUTRUN: Failure = { why: 'another address was faster', kind: 'other' };

/**
 * RFC 8305 section 4: the resolver's order (RFC 6724) decides which family goes first and the order within each;
 * from then on the families take turns (First Address Family Count 1), `before` being whose turn was last. An address
 * is tried once.
 */
export function interleave(found: readonly Candidate[], before?: AddressFamily): Candidate[] {
  const unique = [...new Map(found.map((candidate) => [candidate.address, candidate])).values()];
  const isFirst = (unique.find(({ family }) => family !== before) ?? unique[0])?.family;
  const first = unique.filter(({ family }) => family === isFirst);
  const second = unique.filter(({ family }) => family !== isFirst);
  const order: Candidate[] = [];
  for (let turn = 0; turn < Math.max(first.length, second.length); turn++) {
    order.push(...first.slice(turn, turn + 1), ...second.slice(turn, turn + 1));
  }
  return order;
}

/**
 * RFC 8305 section 5: attempts start one at a time, the next when the delay has passed or at once when the one
 * started last has failed. A later attempt does not end an earlier one: the first to connect wins, however late it
 * began, and only then are the others cancelled. Addresses may be added meanwhile (section 3), until it is closed.
 */
export class Race {
  readonly #lanes: Lane[] = [];
  #waiting: readonly Candidate[] = [];
  #isClosed = false;
  #isOver = false;

  /** When `tick` is to be called next; undefined when nothing waits for the clock. */
  get nextStartAtMs(): number | undefined {
    const last = this.#lanes.at(-1);
    if (this.#isOver || last === undefined || this.#waiting.length === 0) return undefined;
    return last.startedAtMs + CONNECTION_ATTEMPT_DELAY_MS;
  }

  /** Addresses in the resolver's order; those that are known already may be among them. */
  add(found: readonly Candidate[], now: number): RaceStep[] {
    const last = this.#lanes.at(-1);
    const known = [...found, ...this.#waiting];
    const untried = known.filter(({ address }) => this.#lanes.every((lane) => lane.address !== address));
    this.#waiting = interleave(untried, last?.family);
    return last === undefined || last.end !== undefined ? this.#startNext(now) : this.tick(now);
  }

  /** No more addresses come. */
  close(): RaceStep[] {
    this.#isClosed = true;
    return this.#loseIfNothingIsLeft();
  }

  tick(now: number): RaceStep[] {
    const due = this.nextStartAtMs;
    return due !== undefined && now >= due ? this.#startNext(now) : [];
  }

  connected(index: number, now: number): RaceStep[] {
    const lane = this.#lanes[index];
    // Two can connect in one turn of the event loop: the second has been cancelled already.
    if (this.#isOver || lane === undefined || lane.end !== undefined) return [];
    lane.end = { endedAtMs: now, outcome: 'connected' };
    return [{ do: 'won', index }, ...this.#cancelOthers(now, OUTRUN)];
  }

  failed(index: number, now: number, { why: reason, kind }: Failure): RaceStep[] {
    const lane = this.#lanes[index];
    if (this.#isOver || lane === undefined || lane.end !== undefined) return [];
    lane.end = { endedAtMs: now, outcome: 'failed', reason, kind };
    if (index === this.#lanes.length - 1 && this.#waiting.length > 0) return this.#startNext(now);
    return this.#loseIfNothingIsLeft();
  }

  /** The deadline has passed, or nobody wants the connection any more. */
  stop(now: number, failure: Failure): RaceStep[] {
    return this.#isOver ? [] : [...this.#cancelOthers(now, failure), { do: 'lost' }];
  }

  /** What was tried so far and is over. */
  get attempts(): Attempt[] {
    return this.#lanes.flatMap(({ address, family, startedAtMs, end }) =>
      end === undefined ? [] : [{ address, family, startedAtMs, ...end }],
    );
  }

  #startNext(now: number): RaceStep[] {
    const [to, ...others] = this.#waiting;
    if (this.#isOver || to === undefined) return [];
    this.#waiting = others;
    this.#lanes.push({ ...to, startedAtMs: now });
    return [{ do: 'connect', index: this.#lanes.length - 1, to }];
  }

  #loseIfNothingIsLeft(): RaceStep[] {
    const isRunning = this.#lanes.some(({ end }) => end === undefined);
    if (this.#isOver || isRunning || this.#waiting.length > 0 || !this.#isClosed) return [];
    this.#isOver = true;
    return [{ do: 'lost' }];
  }

  #cancelOthers(now: number, { why: reason, kind }: Failure): RaceStep[] {
    this.#isOver = true;
    const running = this.#lanes.flatMap((lane, index) => (lane.end === undefined ? [{ lane, index }] : []));
    for (const { lane } of running) lane.end = { endedAtMs: now, outcome: 'cancelled', reason, kind };
    return running.map(({ index }) => ({ do: 'cancel', index }));
  }
}
