// Measures how well a host is reachable over each family: the race of RFC 8305, the time to connect, and round trips
// of echo on an open connection.

import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { DialError, resolve, type DialOptions } from '../net/dial.ts';
import type { AddressFamily } from '../net/race.ts';
import { EchoError, openEcho, type EchoConnection } from './echo.ts';
import { distribution, type Distribution } from './stats.ts';
import type { Trust } from './trust.ts';

/** TCP resends after 1 and 3 s: an echo that takes longer has lost more than one packet, and counts as lost. */
export const ECHO_DEADLINE_MS = 5_000;

/** A measurement is waited for less patiently than a connection that somebody needs. */
const PROBE_DIAL_DEADLINE_MS = 10_000;

export interface ProbeOptions extends Pick<DialOptions, 'host' | 'port' | 'lookup'> {
  readonly families: readonly AddressFamily[];
  readonly name: string | undefined;
  readonly count: number;
  readonly intervalMs: number;
  readonly sizeBytes: number;
  readonly tls?: Trust | undefined;
  readonly echoDeadlineMs?: number;
  readonly deadlineMs?: number;
}

export interface RoundTrips extends Distribution {
  readonly count: number;
  readonly lost: number;
}

export type FamilyProbe =
  | { readonly works: true; readonly addresses: string[]; readonly connectMs: number; readonly rtt: RoundTrips }
  /** It did not connect, does not speak ECHO, or nothing came back. */
  | { readonly works: false; readonly addresses: string[]; readonly why: string };

export interface Probe {
  readonly families: ReadonlyMap<AddressFamily, FamilyProbe>;
  /** The family that a client without preference would have used. */
  readonly winner: AddressFamily | undefined;
}

/** Measures one family after the other, so that neither disturbs the other's times. */
export async function probe(options: ProbeOptions): Promise<Probe> {
  const { families } = options;
  // With one family asked for there is nothing to race.
  const raced = await attempt({ ...options, family: families.length === 1 ? families[0] : undefined });
  const winner = 'connection' in raced ? raced.connection.family : undefined;
  const results = new Map<AddressFamily, FamilyProbe>();
  for (const family of families) {
    const opened = family === winner ? raced : await attempt({ ...options, family });
    results.set(family, await measure(family, opened, options));
  }
  return { families: results, winner };
}

type Opened = { connection: EchoConnection } | { why: string };

async function attempt(options: ProbeOptions & { family: AddressFamily | undefined }): Promise<Opened> {
  try {
    const connection = await openEcho({ deadlineMs: PROBE_DIAL_DEADLINE_MS, ...options });
    // Until it is measured, its end is no surprise; the measurement will notice.
    connection.socket.on('error', () => {});
    return { connection };
  } catch (error) {
    if (error instanceof DialError) return { why: error.reason };
    if (error instanceof EchoError) return { why: error.message };
    throw error;
  }
}

async function measure(family: AddressFamily, opened: Opened, options: ProbeOptions): Promise<FamilyProbe> {
  const addresses = await addressesOf(family, options);
  if ('why' in opened) return { works: false, addresses, why: opened.why };
  const { connection } = opened;
  const won = connection.attempts.find(({ outcome }) => outcome === 'connected');
  const connectMs = won === undefined ? 0 : round(won.endedAtMs - won.startedAtMs);
  try {
    const times = await roundTrips(connection, options);
    const spread = distribution(times.map(round));
    if (spread === undefined) {
      return { works: false, addresses, why: `${connection.address} was connected, but no echo came back` };
    }
    return {
      works: true,
      addresses,
      connectMs,
      rtt: { count: options.count, lost: options.count - times.length, ...spread },
    };
  } finally {
    connection.socket.destroy();
  }
}

async function addressesOf(family: AddressFamily, { host, port, lookup }: ProbeOptions): Promise<string[]> {
  try {
    return (await resolve({ host, port, lookup, family })).map(({ address }) => address);
  } catch (error) {
    if (error instanceof DialError) return [];
    throw error;
  }
}

/** The times of those echoes that came back whole, unchanged and in time. */
async function roundTrips(connection: EchoConnection, options: ProbeOptions): Promise<number[]> {
  const { socket } = connection;
  const { count, intervalMs, sizeBytes, echoDeadlineMs = ECHO_DEADLINE_MS } = options;
  const echoes = new EchoCounter(connection);
  const times: number[] = [];
  for (let round = 0; round < count && !echoes.isOver; round++) {
    const payload = payloadOf(round, sizeBytes);
    const sentAt = performance.now();
    const back = echoes.expect(payload, echoDeadlineMs);
    socket.write(payload);
    const cameBack = await back;
    const tookMs = performance.now() - sentAt;
    if (cameBack) times.push(tookMs);
    if (round < count - 1 && intervalMs > tookMs) await wait(intervalMs - tookMs);
  }
  return times;
}

/** A number and filling, in one line: a log at the other end stays readable. */
function payloadOf(round: number, size: number): Buffer {
  return Buffer.from(`${`probe ${round} `.padEnd(size - 1, '.').slice(0, size - 1)}\n`);
}

/** Tells when the bytes sent last have come back. Late bytes of a lost round are skipped by counting. */
class EchoCounter {
  isOver = false;
  #sent = 0;
  #received = 0;
  #expected: Buffer = Buffer.alloc(0);
  #isSame = true;
  #settle: ((cameBack: boolean) => void) | undefined;

  constructor({ socket, rest }: EchoConnection) {
    // Bytes that were there before anything was sent are not an echo of it.
    this.#sent = rest.length;
    this.#received = rest.length;
    const over = () => {
      this.isOver = true;
      this.#settle?.(false);
    };
    socket
      .on('data', (chunk: Buffer) => this.#push(chunk))
      .on('end', over)
      .on('close', over);
    socket.resume();
  }

  expect(payload: Buffer, deadlineMs: number): Promise<boolean> {
    this.#expected = payload;
    this.#isSame = true;
    this.#sent += payload.length;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => this.#settle?.(false), deadlineMs);
    this.#settle = (cameBack) => {
      clearTimeout(timer);
      this.#settle = undefined;
      resolve(cameBack);
    };
    return promise;
  }

  #push(chunk: Buffer): void {
    const begins = this.#sent - this.#expected.length;
    const from = Math.max(begins - this.#received, 0);
    const at = this.#received + from - begins;
    const mine = chunk.subarray(from, from + this.#expected.length - at);
    if (!mine.equals(this.#expected.subarray(at, at + mine.length))) this.#isSame = false;
    this.#received += chunk.length;
    if (this.#received >= this.#sent) this.#settle?.(this.#isSame);
  }
}

/** Microseconds: what lies below is noise of the clock. */
function round(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
