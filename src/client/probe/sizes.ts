// Which sizes of an echo to try, and what those tried say. Knows no socket and no clock.

import type { SizeFacts } from './facts.ts';

/**
 * A write of so many bytes leaves in segments as large as the path is believed to take; up to there it is one packet.
 * 536: what fits where nothing is known (RFC 9293 3.7.1); 1,200 and 1,280: what IPv6 promises, less headers and with;
 * 1,400 and 1,500: behind tunnels, and Ethernet's; beyond, several full ones.
 */
export const LADDER: readonly number[] = [64, 256, 536, 1_200, 1_280, 1_400, 1_500, 4_096, 16_384];
/** Tried at once, each on a connection of its own, since one that lost a packet for ever stands still. */
export const SIZES_A_ROUND = 15;
/** Two rounds part 255 sizes, three 4,095: more than any two rungs below 4,096 are apart. */
export const MAX_ROUNDS = 3;

/** The largest that came back. Whatever is smaller passes too. */
export function passesOf(tried: readonly SizeFacts[]): number | undefined {
  const back = tried.flatMap(({ bytes, came }) => (came === 'back' ? [bytes] : []));
  return back.length === 0 ? undefined : Math.max(...back);
}

/** The smallest beyond that which did not. A smaller one that did not was an accident. */
export function failsOf(tried: readonly SizeFacts[]): SizeFacts | undefined {
  const passes = passesOf(tried) ?? 0;
  const beyond = tried.filter(({ bytes, came }) => came !== 'back' && bytes > passes);
  return beyond.toSorted((a, b) => a.bytes - b.bytes)[0];
}

/** Between the two, neither of them among them, evenly: bisection with many knives. */
export function sizesBetween(passes: number, fails: number): number[] {
  const gap = fails - passes;
  const parts = Math.min(SIZES_A_ROUND + 1, gap);
  return Array.from({ length: Math.max(parts - 1, 0) }, (_, at) => passes + Math.round(((at + 1) * gap) / parts));
}
