// Echoes of growing size, each compared byte for byte: small packets pass where large ones are lost without a word, and
// a connection that "connects, then hangs" is that. Where the growing ends, the size at which it does is found.

import type { EchoLink, Patience } from './echo-link.ts';
import type { SizeFacts, Sweep } from './facts.ts';
import { failsOf, LADDER, MAX_ROUNDS, passesOf, sizesBetween } from './sizes.ts';

/** Milliseconds: what is lost is sent again after some 200, 600 and 1,400; four losses of one packet are no accident. */
const SETTLING_MS = 1_500;
/** A path as slow as that one gets its time as well, since then the system waits longer before it sends again. */
const ROUND_TRIPS = 10;
const MAX_QUIET_MS = 5_000;
/** A slow line is no lost packet: as long as something comes, so much is waited for all. 16,384 bytes at 16 kbit/s. */
const WHOLE_MS = 10_000;
/** Small, and yet the largest size is not more than 32 round trips. */
const PIECE_BYTES = 512;

export interface SweepOptions {
  /** Open, and idle. */
  readonly link: EchoLink;
  /** Another connection to the same address; undefined where none comes about. */
  readonly open: () => Promise<EchoLink | undefined>;
  readonly roundTripMs: number;
  /** Of a connection that lost its echo: which way it was lost, if the system tells. Asked before it is given up. */
  readonly lostOn?: ((link: EchoLink) => Promise<Sweep['lostOn']>) | undefined;
  readonly settlingMs?: number | undefined;
}

/** The link is still open if nothing failed, nor stalled; else it is gone. */
export async function sweep(options: SweepOptions): Promise<Sweep> {
  const { settlingMs = SETTLING_MS, roundTripMs } = options;
  const quietMs = Math.min(settlingMs + ROUND_TRIPS * roundTripMs, MAX_QUIET_MS);
  const trying: Trying = { ...options, patience: { deadlineMs: quietMs + WHOLE_MS, quietMs } };
  const tried: SizeFacts[] = [];
  const lostOn = await climb(options.link, tried, trying);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const [passes, fails] = [passesOf(tried), failsOf(tried)];
    if (passes === undefined || fails === undefined) break;
    // Once more, alone this time, what has failed: it may have been a stall, and not the size.
    const sizes = [...sizesBetween(passes, fails.bytes), ...(round === 0 ? [fails.bytes] : [])];
    if (sizes.length === 0) break;
    const results = await Promise.all(sizes.map((bytes) => alone(bytes, trying)));
    const known = results.filter((result) => result !== undefined);
    tried.push(...known);
    // No further connections come about: what is known is known.
    if (known.length === 0) break;
    if (failsOf(tried) === undefined) await climbAgain(tried, trying);
  }
  const [passes, fails] = [passesOf(tried), failsOf(tried)];
  if (fails === undefined || passes === undefined) return { sizes: tried, passes, ...(fails && { fails }) };
  const comesInPieces = fails.came === 'late' && (await inPieces(fails.bytes, passes, trying));
  return { sizes: tried, passes, fails, comesInPieces, ...(lostOn && { lostOn }) };
}

type Trying = SweepOptions & { readonly patience: Patience };

/** Up the rungs that nothing was known of, to the first that fails. */
async function climb(link: EchoLink, tried: SizeFacts[], { patience, lostOn }: Trying): Promise<Sweep['lostOn']> {
  const from = passesOf(tried) ?? 0;
  for (const bytes of LADDER.filter((rung) => rung > from)) {
    const result = await once(link, bytes, patience);
    tried.push(result);
    if (result.came === 'back') continue;
    const lost = result.came === 'late' ? await lostOn?.(link) : undefined;
    link.destroy();
    return lost;
  }
  return undefined;
}

async function climbAgain(tried: SizeFacts[], trying: Trying): Promise<void> {
  const link = await trying.open();
  if (link === undefined) return;
  await climb(link, tried, trying);
  link.destroy();
}

/** Undefined where no connection came about, which says nothing of the size. */
async function alone(bytes: number, { open, patience }: Trying): Promise<SizeFacts | undefined> {
  const link = await open();
  if (link === undefined) return undefined;
  const result = await once(link, bytes, patience);
  link.destroy();
  return result;
}

/** As many bytes as are lost at once, each piece sent when the one before is back. */
async function inPieces(bytes: number, passes: number, { open, patience }: Trying): Promise<boolean> {
  const link = await open();
  if (link === undefined) return false;
  const payload = payloadOf(bytes);
  let isBack = true;
  const piece = Math.min(PIECE_BYTES, passes);
  for (let at = 0; isBack && at < bytes; at += piece) {
    isBack = (await link.roundTrip(payload.subarray(at, at + piece), patience)).came === 'back';
  }
  link.destroy();
  return isBack;
}

async function once(link: EchoLink, bytes: number, patience: Patience): Promise<SizeFacts> {
  const { came, tookMs, received } = await link.roundTrip(payloadOf(bytes), patience);
  return came === 'back' ? { bytes, came, tookMs } : { bytes, came, received };
}

const LF = 10;

/**
 * Every byte value there is, then noise that nothing on the way can make smaller (a compressed packet is a small one).
 * One line end in each half at most, and at the end: a log at the other end stays short.
 */
export function payloadOf(bytes: number): Buffer {
  // Numerical Recipes' generator: the same noise for the same size, everywhere.
  let state = bytes;
  const noise = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const byte = state >>> 24;
    return byte === LF ? 0 : byte;
  };
  const payload = Buffer.from(Uint8Array.from({ length: bytes }, (_, at) => (at < 256 ? at : noise())));
  payload[bytes - 1] = LF;
  return payload;
}
