// Connecting to a server by name: every address found is tried, over both families, as RFC 8305 says. Node's own
// `autoSelectFamily` is not used: it aborts an attempt before it starts the next, so that a slow address never wins.

import { connect as netConnect, isIP, type Socket } from 'node:net';
import { normaliseAddress } from './peer.ts';
import { Race, type AddressFamily, type Attempt, type Candidate, type RaceStep } from './race.ts';
import type { ReadMemory } from './read-memory.ts';
import { connectFailure, noAnswerWithin, whyLookupFailed, type Failure } from './reason.ts';

/** Long enough for a satellite link that loses two SYNs (1 + 2 + 4 s), short enough to still be waited for. */
export const DIAL_DEADLINE_MS = 30_000;

/** RFC 8305 section 8: so long one family's addresses wait for the other's, for both to be tried in the right order. */
export const RESOLUTION_DELAY_MS = 50;

/** In which order they are asked for alone. Node runs two getaddrinfo at a time, and mostly it is AAAA that has no answer. */
const FAMILIES: readonly AddressFamily[] = [4, 6];

/** Every address of a name, in the resolver's order of preference: of both families, or of the one that is named. */
export type Lookup = (name: string, family?: AddressFamily) => Promise<readonly Candidate[]>;

export interface DialOptions {
  readonly host: string;
  readonly port: number;
  /** Only this family, if given. */
  readonly family?: AddressFamily | undefined;
  /** Ends the dialling: the promise is then rejected with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  readonly deadlineMs?: number;
  /** As `net.connect` means it: the end of what the other side sends does not end our sending. */
  readonly allowHalfOpen?: boolean;
  readonly lookup?: Lookup | undefined;
  readonly connect?: (to: Candidate, port: number, allowHalfOpen: boolean) => Socket;
  readonly clock?: Clock | undefined;
}

/** Time as an argument: tests bring a clock that stands still. */
export interface Clock {
  now(): number;
  /** Calls back after so many milliseconds, unless the returned function is called before. */
  after(ms: number, then: () => void): () => void;
}

export interface Dialled {
  /** Connected, not flowing yet, with Nagle's algorithm off. Its `error` event is the caller's from now on. */
  readonly socket: Socket;
  readonly address: string;
  readonly port: number;
  readonly family: AddressFamily;
  readonly attempts: readonly Attempt[];
}

/** Nothing answered. The message is one line that names every address and what became of it. */
export class DialError extends Error {
  override readonly name = 'DialError';
  /** What came after `Cannot connect to HOST port PORT: `. */
  readonly reason: string;
  readonly attempts: readonly Attempt[];

  constructor(target: { host: string; port: number }, reason: string, attempts: readonly Attempt[] = []) {
    super(`Cannot connect to ${target.host} port ${target.port}: ${reason}`);
    this.reason = reason;
    this.attempts = attempts;
  }
}

/** Connects, or throws a `DialError` (or the reason of `signal`). */
export async function dial(options: DialOptions): Promise<Dialled> {
  const { clock = REAL_CLOCK, deadlineMs = DIAL_DEADLINE_MS, signal } = options;
  signal?.throwIfAborted();
  const stop = new AbortController();
  const cancelDeadline = clock.after(deadlineMs, () => stop.abort(new Late(deadlineMs)));
  const onAbort = () => stop.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort);
  try {
    return await run(options, clock, stop.signal);
  } finally {
    cancelDeadline();
    signal?.removeEventListener('abort', onAbort);
  }
}

/** The addresses that are to be tried, in the resolver's order; a literal address stands for itself. */
export async function resolve(
  options: Pick<DialOptions, 'host' | 'port' | 'family' | 'lookup'>,
): Promise<readonly Candidate[]> {
  const { host, family, lookup = systemLookup } = options;
  const literal = candidate(host);
  const found = literal === undefined ? await lookUp(options, lookup) : [literal];
  const wanted = family === undefined ? found : found.filter((one) => one.family === family);
  if (wanted.length > 0) return wanted;
  const lacks = literal === undefined ? `has no IPv${family} address` : `is not an IPv${family} address`;
  throw new DialError(options, `${host} ${lacks}`);
}

async function lookUp(options: Pick<DialOptions, 'host' | 'port'>, lookup: Lookup): Promise<readonly Candidate[]> {
  let found: readonly Candidate[];
  try {
    found = await lookup(options.host);
  } catch (error) {
    throw new DialError(options, whyLookupFailed(error));
  }
  if (found.length === 0) throw new DialError(options, 'name does not resolve');
  return found;
}

/** getaddrinfo; asked for both families at once its order (RFC 6724) covers both. */
export async function systemLookup(name: string, family?: AddressFamily): Promise<Candidate[]> {
  // Not needed for an address, and a command that starts has no time to lose.
  const { lookup: dnsLookup } = await import('node:dns/promises');
  const found = await dnsLookup(name, { all: true, order: 'verbatim', family: family ?? 0 });
  return found.flatMap(({ address }) => candidate(address) ?? []);
}

/**
 * RFC 8305 section 3: a family whose answer is late does not keep the other waiting. getaddrinfo tells nothing before it
 * has both; where it has not after the delay, each family is asked for alone. An answer for one that comes first is then
 * of a family that the other one is late to by as much.
 */
async function lookUpApart(options: DialOptions, tell: (found: readonly Candidate[]) => void): Promise<void> {
  const { host, family, lookup = systemLookup } = options;
  const families = family === undefined ? FAMILIES : [family];
  const asked = families.map(async (one) => {
    const found = await lookup(host, one);
    tell(found.filter((candidate) => candidate.family === one));
  });
  // Whatever it is, the question for both families will say so too.
  await Promise.allSettled(asked);
}

/** An IPv4-mapped address is the IPv4 address that it maps, in the choice of the socket too. */
function candidate(text: string): Candidate | undefined {
  const address = normaliseAddress(text);
  const family = isIP(address);
  return family === 4 || family === 6 ? { address, family } : undefined;
}

/** Gives the race its addresses, its sockets and its clock. */
async function run(options: DialOptions, clock: Clock, stop: AbortSignal): Promise<Dialled> {
  const { host, port, connect = connectTo, allowHalfOpen = false, deadlineMs = DIAL_DEADLINE_MS } = options;
  const startedAt = clock.now();
  const now = () => clock.now() - startedAt;
  const race = new Race();
  const lanes: { readonly socket: Socket; readonly to: Candidate }[] = [];
  let isResolved = false;
  let whyUnresolved: unknown;
  let cancelTimer = () => {};

  return await new Promise((settle, reject) => {
    const onStop = () => obey(race.stop(now(), stop.reason instanceof Late ? stop.reason.failure : INTERRUPTED));
    stop.addEventListener('abort', onStop);
    const early = () => void lookUpApart(options, (found) => obey(race.add(found, now())));
    const cancelEarly = candidate(host) === undefined ? clock.after(RESOLUTION_DELAY_MS, early) : () => {};
    resolve(options).then(
      (found) => resolved(race.add(found, now())),
      (error: unknown) => {
        whyUnresolved = error;
        resolved([]);
      },
    );

    function resolved(steps: readonly RaceStep[]): void {
      isResolved = true;
      cancelEarly();
      obey([...steps, ...race.close()]);
    }

    function end(report: () => void): void {
      stop.removeEventListener('abort', onStop);
      cancelEarly();
      cancelTimer();
      report();
    }

    function obey(steps: readonly RaceStep[]): void {
      for (const step of steps) follow(step);
      cancelTimer();
      const next = race.nextStartAtMs;
      cancelTimer =
        next === undefined ? () => {} : clock.after(Math.max(0, next - now()), () => obey(race.tick(now())));
    }

    function follow(step: RaceStep): void {
      switch (step.do) {
        case 'connect':
          start(step.index, step.to);
          return;
        case 'cancel':
          lanes[step.index]?.socket.destroy();
          return;
        case 'won':
          end(() => win(step.index));
          return;
        case 'lost':
          end(() => reject(whyLost()));
      }
    }

    function start(index: number, to: Candidate): void {
      const socket = connect(to, port, allowHalfOpen);
      lanes[index] = { socket, to };
      socket.once('connect', () => obey(race.connected(index, now())));
      socket.once('error', (error) => obey(race.failed(index, now(), connectFailure(error))));
    }

    function win(index: number): void {
      const won = lanes[index];
      if (won === undefined) throw new Error(`attempt ${index} won without a socket`);
      const { socket, to } = won;
      socket.removeAllListeners('connect');
      socket.removeAllListeners('error');
      settle({ socket, address: to.address, port, family: to.family, attempts: race.attempts });
    }

    function whyLost(): unknown {
      const { attempts } = race;
      if (stop.aborted && !(stop.reason instanceof Late)) return stop.reason;
      if (attempts.length === 0 && whyUnresolved !== undefined) return whyUnresolved;
      const unresolved = `${noAnswerWithin(deadlineMs)} while resolving the name`;
      return failure(options, attempts, isResolved ? undefined : unresolved);
    }
  });
}

/** Each address with what became of it, and what else went wrong. */
function failure(options: DialOptions, attempts: readonly Attempt[], more?: string): DialError {
  const [only] = attempts;
  const reasons =
    attempts.length === 1 && only?.address === options.host
      ? [only.reason]
      : attempts.map(({ address, reason }) => `${address}: ${reason}`);
  return new DialError(options, [...reasons, more ?? []].flat().join('; '), attempts);
}

/** Not connected yet. */
export function connectTo(to: Candidate, port: number, allowHalfOpen: boolean, memory?: ReadMemory): Socket {
  const { address: host, family } = to;
  const onread = memory === undefined ? {} : { onread: memory.onread };
  const socket = netConnect({ host, port, family, allowHalfOpen, autoSelectFamily: false, noDelay: true, ...onread });
  return memory?.serve(socket) ?? socket;
}

const INTERRUPTED: Failure = { why: 'interrupted', kind: 'other' };

class Late extends Error {
  readonly failure: Failure;

  constructor(deadlineMs: number) {
    super(noAnswerWithin(deadlineMs));
    this.failure = { why: this.message, kind: 'silent' };
  }
}

export const REAL_CLOCK: Clock = {
  now: () => performance.now(),
  after(ms, then) {
    const timer = setTimeout(then, ms);
    return () => clearTimeout(timer);
  },
};
