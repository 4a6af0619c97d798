// The status of a probe: which of the families that were asked for work.

import type { AddressFamily } from '../../net/race.ts';

const EVERY_FAMILY_WORKS = 0;
const ONLY_IPV4_WORKS = 1;
const ONLY_IPV6_WORKS = 2;
export const NONE_WORKS = 3;

export function statusFor(all: readonly AddressFamily[], working: readonly AddressFamily[]): number {
  if (working.length === 0) return NONE_WORKS;
  if (working.length === all.length) return EVERY_FAMILY_WORKS;
  return working[0] === 4 ? ONLY_IPV4_WORKS : ONLY_IPV6_WORKS;
}
