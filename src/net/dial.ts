// Connecting to a server by name: every address found is tried, over both families, as RFC 8305 says. Node's own
// `autoSelectFamily` is not used: it aborts an attempt before it starts the next, so that a slow address never wins.

import { connect as netConnect, isIP, type Socket } from 'node:net';
import { normaliseAddress } from './peer.ts';
import { interleave, Race, type AddressFamily, type Attempt, type Candidate, type RaceStep } from './race.ts';
import { noAnswerWithin, whyConnectFailed, whyLookupFailed } from './reason.ts';

/** Long enough for a satellite link that loses two SYNs (1 + 2 + 4 s), short enough to still be waited for. */
export const DIAL_DEADLINE_MS = 30_000;

/** Every address of a name, both families, in the resolver's order of preference. */
export type Lookup = (name: string) => Promise<readonly Candidate[]>;

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
  readonly clock?: DialClock;
}

/** Time as an argument: tests bring a clock that stands still. */
export interface DialClock {
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
  const startedAt = clock.now();
  const stop = new AbortController();
  const cancelDeadline = clock.after(deadlineMs, () => stop.abort(new Late(deadlineMs)));
  const onAbort = () => stop.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort);
  try {
    const found = await unlessStopped(resolve(options), stop.signal);
    return await run(options, interleave(found), { clock, startedAt, stop: stop.signal });
  } catch (error) {
    if (error instanceof Late) throw new DialError(options, `${error.message} while resolving the name`);
    throw error;
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

/** getaddrinfo asked for both families at once, so that its order (RFC 6724) covers both. */
async function systemLookup(name: string): Promise<Candidate[]> {
  // Not needed for an address, and a command that starts has no time to lose.
  const { lookup: dnsLookup } = await import('node:dns/promises');
  const found = await dnsLookup(name, { all: true, order: 'verbatim' });
  return found.flatMap(({ address }) => candidate(address) ?? []);
}

/** An IPv4-mapped address is the IPv4 address that it maps, in the choice of the socket too. */
function candidate(text: string): Candidate | undefined {
  const address = normaliseAddress(text);
  const family = isIP(address);
  return family === 4 || family === 6 ? { address, family } : undefined;
}

interface Around {
  readonly clock: DialClock;
  readonly startedAt: number;
  readonly stop: AbortSignal;
}

/** Gives the race its sockets and its clock. */
async function run(options: DialOptions, candidates: readonly Candidate[], around: Around): Promise<Dialled> {
  const { port, connect = connectTo, allowHalfOpen = false } = options;
  const { clock, startedAt, stop } = around;
  stop.throwIfAborted();
  const race = new Race(candidates);
  const sockets: Socket[] = [];
  const now = () => clock.now() - startedAt;
  let cancelTimer: (() => void) | undefined;

  return await new Promise((settle, reject) => {
    const onStop = () => obey(race.stop(now(), stop.reason instanceof Late ? stop.reason.message : 'interrupted'));
    stop.addEventListener('abort', onStop);
    obey(race.begin(now()));

    function obey(steps: readonly RaceStep[]): void {
      for (const step of steps) follow(step);
      cancelTimer?.();
      const next = race.nextStartAtMs;
      if (next !== undefined) cancelTimer = clock.after(Math.max(0, next - now()), () => obey(race.tick(now())));
    }

    function follow(step: RaceStep): void {
      switch (step.do) {
        case 'connect':
          start(step.index, step.to);
          return;
        case 'cancel':
          sockets[step.index]?.destroy();
          return;
        case 'won':
          stop.removeEventListener('abort', onStop);
          win(step.index);
          return;
        case 'lost':
          stop.removeEventListener('abort', onStop);
          reject(stop.aborted && !(stop.reason instanceof Late) ? stop.reason : failure(options, race.attempts));
      }
    }

    function start(index: number, to: Candidate): void {
      const socket = connect(to, port, allowHalfOpen);
      sockets[index] = socket;
      socket.once('connect', () => obey(race.connected(index, now())));
      socket.once('error', (error) => obey(race.failed(index, now(), whyConnectFailed(error))));
    }

    function win(index: number): void {
      const socket = sockets[index];
      const to = candidates[index];
      if (socket === undefined || to === undefined) throw new Error(`attempt ${index} won without a socket`);
      socket.removeAllListeners('connect');
      socket.removeAllListeners('error');
      settle({ socket, address: to.address, port, family: to.family, attempts: race.attempts });
    }
  });
}

function failure(options: DialOptions, attempts: readonly Attempt[]): DialError {
  const [only] = attempts;
  const reason =
    attempts.length === 1 && only?.address === options.host
      ? (only.reason ?? '')
      : attempts.map((attempt) => `${attempt.address}: ${attempt.reason}`).join('; ');
  return new DialError(options, reason, attempts);
}

function connectTo(to: Candidate, port: number, allowHalfOpen: boolean): Socket {
  const { address: host, family } = to;
  return netConnect({ host, port, family, allowHalfOpen, autoSelectFamily: false, noDelay: true });
}

class Late extends Error {
  constructor(deadlineMs: number) {
    super(noAnswerWithin(deadlineMs));
  }
}

/** getaddrinfo cannot be interrupted: its answer is no longer waited for. */
function unlessStopped<T>(promise: Promise<T>, stop: AbortSignal): Promise<T> {
  return new Promise((settle, reject) => {
    stop.addEventListener('abort', () => reject(stop.reason), { once: true });
    promise.then(settle, reject);
  });
}

const REAL_CLOCK: DialClock = {
  now: () => performance.now(),
  after(ms, then) {
    const timer = setTimeout(then, ms);
    return () => clearTimeout(timer);
  },
};
