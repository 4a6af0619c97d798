// Which addresses can be reached: first the race, as every client runs it, then each address that the race left open,
// all of them at once. What connects goes on to TLS and to the exchange of names at once: a server is not kept waiting.

import { DialError, dial, REAL_CLOCK, type Clock, type Dialled, type DialOptions } from '../../net/dial.ts';
import type { AddressFamily, Attempt, Candidate } from '../../net/race.ts';
import type { Failure } from '../../net/reason.ts';
import { EchoError, exchangeNames, secureEcho, type EchoConnection } from '../echo.ts';
import { roundMs } from '../stats.ts';
import type { Trust } from '../trust.ts';
import type { AddressFacts, AddressFailure } from './facts.ts';

/** A measurement is waited for less patiently than a connection that somebody needs: four SYNs, after 0, 1, 3 and 7 s. */
export const CONNECT_DEADLINE_MS = 10_000;

export interface ReachOptions extends Pick<DialOptions, 'connect'> {
  readonly host: string;
  readonly port: number;
  /** Undefined sends no first line. */
  readonly name: string | undefined;
  readonly wants: 'echo' | 'connect';
  readonly tls?: Trust | undefined;
  readonly answerDeadlineMs: number;
  readonly connectDeadlineMs?: number | undefined;
  readonly clock?: Clock | undefined;
}

/** The connection is open if it came as far as was wanted. */
export interface Reached extends Candidate {
  readonly facts: AddressFacts;
  readonly connection?: EchoConnection;
}

export interface AllReached {
  readonly race: readonly Attempt[];
  readonly winner: AddressFamily | undefined;
  /** In the order given. */
  readonly addresses: readonly Reached[];
}

export async function reachAll(order: readonly Candidate[], options: ReachOptions): Promise<AllReached> {
  if (order.length === 0) return { race: [], winner: undefined, addresses: [] };
  // Loaded before: a server greets whoever is silent for 300 ms, and that would break the handshake.
  if (options.tls !== undefined) await import('../secure.ts');
  const raced = await attempt(order, options);
  const { attempts } = 'dialled' in raced ? raced.dialled : raced;
  const addresses = await Promise.all(
    order.map(async (to): Promise<Reached> => {
      const before = attempts.find(({ address }) => address === to.address);
      if (before?.outcome === 'connected' && 'dialled' in raced) return await goOn(to, raced.dialled, options);
      // Without a winner nothing that was tried is still open: whoever was cancelled then had no answer in time.
      if (before?.outcome === 'failed' || (before?.outcome === 'cancelled' && 'failed' in raced)) {
        return unreached(to, { why: before.reason, kind: before.kind });
      }
      const alone = await attempt([to], options);
      return 'dialled' in alone ? await goOn(to, alone.dialled, options) : unreached(to, alone.failed);
    }),
  );
  const winner = 'dialled' in raced ? raced.dialled.family : undefined;
  return { race: attempts.map(inMicroseconds), winner, addresses };
}

/** `failed`: of the last attempt. */
type Tried = { readonly dialled: Dialled } | { readonly failed: Failure; readonly attempts: readonly Attempt[] };

async function attempt(to: readonly Candidate[], options: ReachOptions): Promise<Tried> {
  const { host, port, connect, clock, connectDeadlineMs: deadlineMs = CONNECT_DEADLINE_MS } = options;
  try {
    const given = { port, deadlineMs, allowHalfOpen: true, ...(connect && { connect }), clock };
    // Names are resolved: a single address stands for itself, and several are what the name is found to be.
    const [only] = to;
    const dialled = await dial({
      ...given,
      host: to.length === 1 && only ? only.address : host,
      lookup: async () => to,
    });
    // Until it is measured, its end is no surprise; the measurement will notice.
    dialled.socket.on('error', () => {});
    return { dialled };
  } catch (error) {
    if (!(error instanceof DialError)) throw error;
    const { attempts, reason } = error;
    const last = attempts.at(-1);
    const kind = last === undefined || last.outcome === 'connected' ? 'other' : last.kind;
    return { failed: { why: last?.reason ?? reason, kind }, attempts };
  }
}

async function goOn(to: Candidate, dialled: Dialled, options: ReachOptions): Promise<Reached> {
  const { address, attempts } = dialled;
  const own = attempts.find((one) => one.address === address && one.outcome === 'connected');
  const connectMs = own === undefined ? 0 : roundMs(own.endedAtMs - own.startedAtMs);
  let facts: AddressFacts = { address, connectMs };
  let failing: AddressFailure['at'] = 'tls';
  try {
    const { secured, tlsMs } = await shakeHands(dialled, options);
    if (tlsMs !== undefined) facts = { ...facts, tlsMs };
    failing = 'echo';
    if (options.wants === 'connect') {
      secured.socket.destroy();
      return { ...to, facts };
    }
    const connection = await exchangeNames(secured, options);
    connection.socket.on('error', () => {});
    return { ...to, facts, connection };
  } catch (error) {
    if (!(error instanceof EchoError)) throw error;
    dialled.socket.destroy();
    // Where, the report has said already.
    const { why, isSilent } = error;
    const isMute = dialled.socket.bytesRead === 0 ? ({ isMute: true } as const) : {};
    return { ...to, facts: { ...facts, failed: { at: failing, kind: isSilent ? 'silent' : 'other', why, ...isMute } } };
  }
}

async function shakeHands(
  dialled: Dialled,
  { host, tls: trust, clock = REAL_CLOCK }: ReachOptions,
): Promise<{ secured: Dialled; tlsMs?: number }> {
  if (trust === undefined) return { secured: dialled };
  const startedAt = clock.now();
  const secured = await secureEcho(dialled, { host, trust });
  secured.socket.on('error', () => {});
  return { secured, tlsMs: roundMs(clock.now() - startedAt) };
}

function unreached(to: Candidate, failure: Failure): Reached {
  return { ...to, facts: { address: to.address, failed: { at: 'connect', ...failure } } };
}

function inMicroseconds(attempt: Attempt): Attempt {
  return { ...attempt, startedAtMs: roundMs(attempt.startedAtMs), endedAtMs: roundMs(attempt.endedAtMs) };
}
