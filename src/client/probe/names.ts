// What a name stands for: each record type asked for on its own and both at once, so that it shows which one is slow or
// missing. By getaddrinfo, which knows what this machine's administrator chose (/etc/hosts, mDNS), as every client.

import { isIP } from 'node:net';
import { REAL_CLOCK, systemLookup, type Clock, type Lookup } from '../../net/dial.ts';
import { nat64PrefixesOf, type Nat64Prefix } from '../../net/nat64.ts';
import { isLoopbackAddress, normaliseAddress } from '../../net/peer.ts';
import type { AddressFamily, Candidate } from '../../net/race.ts';
import { noAnswerWithin, whyLookupFailed } from '../../net/reason.ts';
import { roundMs } from '../stats.ts';
import type { NameFacts } from './facts.ts';

/** glibc asks each of two name servers twice, 5 s each time: who has not answered in half of that will hardly. */
export const LOOKUP_DEADLINE_MS = 10_000;
/** For each family. A name with more is a balancer's, and any of them stands for all. */
export const MAX_ADDRESSES = 16;

export interface Names {
  readonly byFamily: ReadonlyMap<AddressFamily, NameFacts>;
  /** Of all families asked for, as a client gets them that asks for all at once (RFC 6724). */
  readonly order: readonly Candidate[];
}

export interface NamesOptions {
  readonly host: string;
  readonly families: readonly AddressFamily[];
  /** In the place of the system's. */
  readonly lookup?: Lookup | undefined;
  readonly deadlineMs?: number;
  readonly clock?: Clock | undefined;
}

/** Never throws: what could not be found out is among the facts. */
export async function resolveNames(options: NamesOptions): Promise<Names> {
  const { host, families, lookup } = options;
  const literal = normaliseAddress(host);
  if (isIP(literal) !== 0) return literalNames(options, literal);
  // Loaded before the first clock starts.
  if (lookup === undefined) await import('node:dns/promises');
  const records = await Promise.all(families.map((family) => recordsOf(family, options)));
  const found = records.flatMap(({ candidates }) => candidates);
  const isThere = found.length > 0 || (await hasOther(records, options));
  const byFamily = new Map(
    records.map(({ family, facts }) => [family, isThere ? ofKnownName(family, facts, host) : facts]),
  );
  // Asked after them, and for its order only: asked with them it would make their times its own. Where one of them was not
  // answered this would not be either, and a client goes on without it.
  const isOrdered = families.length > 1 && records.every(({ facts }) => facts.failed?.kind !== 'unanswered');
  const ordered = isOrdered && found.length > 0 ? await both(options, lookup ?? systemLookup).catch(() => []) : [];
  // Of a name with very many addresses each answer may have others: only those that are among the facts are tried.
  const known = new Set(found.map(({ address }) => address));
  return { byFamily, order: unique([...ordered.filter(({ address }) => known.has(address)), ...found]) };
}

/** Shorter than any other wait here: an answer that does not come is as good as none. */
const PREFIX_DEADLINE_MS = 3_000;

/** The prefixes of this network's NAT64, asked for where an address could be of one. */
export async function prefixesFor(
  order: readonly Candidate[],
  { lookup = systemLookup, clock = REAL_CLOCK }: Pick<NamesOptions, 'lookup' | 'clock'> = {},
): Promise<readonly Nat64Prefix[]> {
  const isAsked = order.some(({ address, family }) => family === 6 && !isLoopbackAddress(address));
  if (!isAsked) return [];
  return await within(
    nat64PrefixesOf((name) => lookup(name, 6)),
    { deadlineMs: PREFIX_DEADLINE_MS, clock },
  ).catch(() => []);
}

function literalNames({ host, families }: NamesOptions, address: string): Names {
  const own: AddressFamily = isIP(address) === 4 ? 4 : 6;
  const none = (family: AddressFamily): NameFacts => {
    const why = `${host} is not an IPv${family} address`;
    return { tookMs: undefined, addresses: [], failed: { why, kind: 'none' } };
  };
  const itself: NameFacts = { tookMs: undefined, addresses: [address] };
  const byFamily = new Map(families.map((family) => [family, family === own ? itself : none(family)]));
  return { byFamily, order: families.includes(own) ? [{ address, family: own }] : [] };
}

async function recordsOf(family: AddressFamily, options: NamesOptions) {
  const { lookup = systemLookup, clock = REAL_CLOCK, host, deadlineMs = LOOKUP_DEADLINE_MS } = options;
  const startedAt = clock.now();
  let candidates: Candidate[] = [];
  let failed: NameFacts['failed'];
  try {
    const found = await within(lookup(host, family), { deadlineMs, clock });
    candidates = unique(found.filter((one) => one.family === family)).slice(0, MAX_ADDRESSES);
    if (candidates.length === 0) failed = { why: `${host} has no IPv${family} address`, kind: 'none' };
  } catch (error) {
    const why = error instanceof Late ? error.message : whyLookupFailed(error);
    failed = { why, kind: isUnknown(error) ? 'unknown' : 'unanswered' };
  }
  const facts: NameFacts = {
    tookMs: roundMs(clock.now() - startedAt),
    addresses: candidates.map(({ address }) => address),
    ...(failed && { failed }),
  };
  return { family, candidates, facts };
}

/** Where one family alone is asked for, the other says whether it is the name that is not there. */
async function hasOther(records: readonly { facts: NameFacts }[], options: NamesOptions): Promise<boolean> {
  const [asked] = options.families;
  if (options.families.length !== 1 || records[0]?.facts.failed?.kind !== 'unknown') return false;
  const other = await recordsOf(asked === 4 ? 6 : 4, options);
  return other.candidates.length > 0;
}

async function both(
  { host, deadlineMs = LOOKUP_DEADLINE_MS, clock = REAL_CLOCK }: NamesOptions,
  lookup: Lookup,
): Promise<readonly Candidate[]> {
  return await within(lookup(host), { deadlineMs, clock });
}

/** The name is there, as its other addresses show. */
function ofKnownName(family: AddressFamily, facts: NameFacts, host: string): NameFacts {
  if (facts.failed?.kind !== 'unknown') return facts;
  return { ...facts, failed: { why: `${host} has no IPv${family} address`, kind: 'none' } };
}

/** getaddrinfo says the same of a name that is not there and of one that has no record of the kind asked for. */
function isUnknown(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOTFOUND';
}

function unique(found: readonly Candidate[]): Candidate[] {
  return [...new Map(found.map((one) => [one.address, one])).values()];
}

class Late extends Error {}

/** getaddrinfo cannot be interrupted: its answer is no longer waited for. */
async function within<T>(
  promise: Promise<T>,
  { deadlineMs, clock }: { readonly deadlineMs: number; readonly clock: Clock },
): Promise<T> {
  let cancel = () => {};
  const late = new Promise<never>((_, reject) => {
    cancel = clock.after(deadlineMs, () => reject(new Late(noAnswerWithin(deadlineMs))));
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    cancel();
    promise.catch(() => {});
  }
}
