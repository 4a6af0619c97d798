// Which addresses can be reached: first the race, as every client runs it, then each address that the race left open,
// all of them at once. What connects goes on to TLS and to the exchange of names at once: a server is not kept waiting.

import { performance } from 'node:perf_hooks';
import { DialError, dial, type Dialled, type DialOptions } from '../../net/dial.ts';
import type { AddressFamily, Attempt, Candidate } from '../../net/race.ts';
import { kindOfFailure } from '../../net/reason.ts';
import { EchoError, exchangeNames, type EchoConnection } from '../echo.ts';
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
  const attempts = 'why' in raced ? raced.attempts : raced.dialled.attempts;
  const addresses = await Promise.all(
    order.map(async (to): Promise<Reached> => {
      const before = attempts.find(({ address }) => address === to.address);
      if (before?.outcome === 'connected' && 'dialled' in raced) return await goOn(to, raced.dialled, options);
      // Without a winner nothing that was tried is still open: whoever was cancelled then had no answer in time.
      const isKnown = before !== undefined && (before.outcome === 'failed' || 'why' in raced);
      if (isKnown) return unreached(to, 'connect', before.reason ?? '');
      const alone = await attempt([to], options);
      return 'why' in alone
        ? unreached(to, 'connect', alone.attempts[0]?.reason ?? alone.why)
        : await goOn(to, alone.dialled, options);
    }),
  );
  const winner = 'dialled' in raced ? raced.dialled.family : undefined;
  return { race: attempts.map(inMicroseconds), winner, addresses };
}

type Tried = { dialled: Dialled } | { why: string; attempts: readonly Attempt[] };

async function attempt(to: readonly Candidate[], options: ReachOptions): Promise<Tried> {
  const { host, port, connect, connectDeadlineMs: deadlineMs = CONNECT_DEADLINE_MS } = options;
  try {
    const given = { port, deadlineMs, allowHalfOpen: true, ...(connect && { connect }) };
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
    return { why: error.reason, attempts: error.attempts };
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
    // The report has said where already.
    const why = error.message.replace(/^(?:.* does not speak ECHO|Cannot connect to \S+(?: by TLS)?): /, '');
    const isSilent = / within [\d.]+ s/.test(why) && !why.startsWith('only ');
    return { ...to, facts: { ...facts, failed: { at: failing, kind: isSilent ? 'silent' : 'other', why } } };
  }
}

async function shakeHands(
  dialled: Dialled,
  { host, tls: trust }: ReachOptions,
): Promise<{ secured: Dialled; tlsMs?: number }> {
  if (trust === undefined) return { secured: dialled };
  const { secure, SecureError } = await import('../secure.ts');
  const startedAt = performance.now();
  const secured = await secure(dialled, { host, trust }).catch((error: unknown) => {
    throw error instanceof SecureError ? new EchoError(error.message, { cause: error }) : error;
  });
  secured.socket.on('error', () => {});
  return { secured, tlsMs: roundMs(performance.now() - startedAt) };
}

function unreached(to: Candidate, at: AddressFailure['at'], why: string): Reached {
  return { ...to, facts: { address: to.address, failed: { at, kind: kindOfFailure(why), why } } };
}

function inMicroseconds(attempt: Attempt): Attempt {
  return { ...attempt, startedAtMs: roundMs(attempt.startedAtMs), endedAtMs: roundMs(attempt.endedAtMs) };
}
