// Round trips on open connections of both families at once: they see the same moments of the network, and yet neither
// is in the other's way.

import { REAL_CLOCK, type Clock } from '../../net/dial.ts';
import type { AddressFamily } from '../../net/race.ts';
import type { EchoLink } from './echo-link.ts';
import type { Ended, Rounds } from './facts.ts';

/** TCP resends after 1 and 3 s: an echo that takes longer has lost more than one packet, and counts as lost. */
export const ECHO_DEADLINE_MS = 5_000;
/** After so many lost one after the other nothing will come: the rest is not waited for. */
const MAX_LOST_IN_A_ROW = 3;
/** Milliseconds that an echo waits at least for the one of the other family that is on the way. */
export const MIN_PATIENCE_MS = 10;

export interface RoundsOptions {
  readonly count: number;
  readonly intervalMs: number;
  readonly sizeBytes: number;
  readonly echoDeadlineMs: number;
  /** `tookMs` undefined: lost. */
  readonly onEcho?: ((family: AddressFamily, tookMs: number | undefined) => void) | undefined;
  readonly clock?: Clock | undefined;
}

export async function runRounds(
  links: ReadonlyMap<AddressFamily, EchoLink>,
  options: RoundsOptions,
): Promise<Map<AddressFamily, Rounds>> {
  const { clock = REAL_CLOCK } = options;
  const turns = new Turns(Math.max(options.intervalMs / links.size, MIN_PATIENCE_MS), clock);
  const running = [...links].map(async ([family, link], at): Promise<[AddressFamily, Rounds]> => {
    // The second family starts when the first is half an interval on, and so they stay.
    await pause((at * options.intervalMs) / links.size, clock);
    return [family, await roundsOf(family, { link, turns, clock, options })];
  });
  return new Map(await Promise.all(running));
}

interface Running {
  readonly link: EchoLink;
  readonly turns: Turns;
  readonly clock: Clock;
  readonly options: RoundsOptions;
}

async function roundsOf(family: AddressFamily, { link, turns, clock, options }: Running): Promise<Rounds> {
  const { count, intervalMs, sizeBytes, echoDeadlineMs, onEcho } = options;
  const times: (number | undefined)[] = [];
  let changed = 0;
  let lostInARow = 0;
  let ended: Ended | undefined;
  for (let round = 0; round < count && lostInARow < MAX_LOST_IN_A_ROW && ended === undefined; round++) {
    const payload = payloadOf(round, sizeBytes);
    const { came, tookMs } = await turns.take(() => link.roundTrip(payload, { deadlineMs: echoDeadlineMs }));
    const time = came === 'back' ? tookMs : undefined;
    times.push(time);
    onEcho?.(family, time);
    lostInARow = time === undefined ? lostInARow + 1 : 0;
    if (came === 'changed') changed++;
    if (came !== 'back' && came !== 'late' && came !== 'changed') ended = came;
    if (round < count - 1) await pause(intervalMs - tookMs, clock);
    ended ??= link.ended;
  }
  const missing = Array.from<undefined>({ length: count - times.length });
  return { count, sizeBytes, times: [...times, ...missing], changed, ...(ended && { ended }) };
}

async function pause(ms: number, clock: Clock): Promise<void> {
  if (ms > 0) await new Promise<void>((resolve) => clock.after(ms, resolve));
}

/** A number and filling, in one line: a log at the other end stays readable. */
function payloadOf(round: number, size: number): Buffer {
  return Buffer.from(`${`probe ${round} `.padEnd(size - 1, '.').slice(0, size - 1)}\n`);
}

/**
 * One on the way at a time, first come first served: what is handled here for one family would else be in the time of
 * the other, and a large echo in its bandwidth. Who is late, or lost, holds up the other for no longer than `patienceMs`.
 */
export class Turns {
  readonly #patienceMs: number;
  readonly #clock: Clock;
  #before: Promise<void> = Promise.resolve();

  constructor(patienceMs: number, clock: Clock) {
    this.#patienceMs = patienceMs;
    this.#clock = clock;
  }

  async take<T>(roundTrip: () => Promise<T>): Promise<T> {
    const before = this.#before;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#before = promise;
    await new Promise<void>((go) => {
      const cancel = this.#clock.after(this.#patienceMs, go);
      void before.then(() => {
        cancel();
        go();
      });
    });
    try {
      return await roundTrip();
    } finally {
      resolve();
    }
  }
}
