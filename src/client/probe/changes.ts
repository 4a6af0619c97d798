// What is new since the last time a host was probed: an address that it did not have, or a verdict that is another one.
// Times, and what comes and goes with every packet, are no change.

import type { AddressFamily } from '../../net/race.ts';
import type { Finding } from '../verdict/finding.ts';
import type { ProbeFacts } from './facts.ts';
import { lossOf, spreadOf } from './tally.ts';

/** What is kept of one probe. */
export interface Seen {
  /** RFC 3339. */
  readonly at: string;
  /** What was wanted, of which families: only what was asked alike can be compared. */
  readonly asked: string;
  /** The state: codes of findings, with the family that each is of, in order. */
  readonly state: readonly string[];
  readonly addresses: readonly string[];
  /** Medians, and how much was lost, of those that could be measured. */
  readonly ipv4?: SeenTimes;
  readonly ipv6?: SeenTimes;
}

export interface SeenTimes {
  readonly p50: number;
  readonly lost: number;
  readonly count: number;
}

export type News =
  | { readonly news: 'new-address'; readonly family: AddressFamily; readonly address: string }
  | { readonly news: 'state'; readonly before: readonly string[]; readonly now: readonly string[] };

/** They change from one moment to the next, without anything having been changed. */
const PASSING: ReadonlySet<Finding['code']> = new Set([
  'lossy',
  'resent',
  'broke',
  'slow-name',
  'race-cost',
  'same-speed',
  'faster',
] satisfies Finding['code'][]);

export function seenOf(facts: ProbeFacts, findings: readonly Finding[], at: Date): Seen {
  const state = findings.filter(({ code }) => !PASSING.has(code)).map(keyOf);
  const addresses = [...facts.families.values()].flatMap(({ name }) => name.addresses);
  const [ipv4, ipv6] = ([4, 6] as const).map((family) => timesOf(facts, family));
  const asked = [facts.wants, ...[...facts.families.keys()].map((family) => `ipv${family}`)].join(' ');
  return { at: at.toISOString(), asked, state, addresses, ...(ipv4 && { ipv4 }), ...(ipv6 && { ipv6 }) };
}

/** `known`: every address that it was seen to have. The first time nothing is new. */
export function newsOf(now: Seen, before: Seen | undefined, known: ReadonlySet<string>): News[] {
  if (known.size === 0 && before === undefined) return [];
  const added = now.addresses.filter((address) => !known.has(address));
  const news: News[] = added.map((address) => ({
    news: 'new-address',
    family: address.includes(':') ? 6 : 4,
    address,
  }));
  const isOther = before !== undefined && before.asked === now.asked && before.state.join() !== now.state.join();
  return isOther ? [...news, { news: 'state', before: before.state, now: now.state }] : news;
}

function keyOf(finding: Finding): string {
  if ('families' in finding) return [finding.code, ...finding.families.map((family) => `ipv${family}`)].join(' ');
  return 'family' in finding ? `${finding.code} ipv${finding.family}` : finding.code;
}

function timesOf({ families }: ProbeFacts, family: AddressFamily): SeenTimes | undefined {
  const rounds = families.get(family)?.link?.rounds;
  const spread = rounds && spreadOf(rounds);
  if (rounds === undefined || spread === undefined) return undefined;
  const { lost, count } = lossOf(rounds);
  return { p50: spread.p50, lost, count };
}
