// IPv4 addresses inside IPv6 addresses, where a network has no IPv4 of its own and translates: which prefixes stand for
// IPv4 (RFC 6052, RFC 8215), how a network's own one is found (RFC 7050), and by which address translation at the
// client is known (RFC 7335).

import { isIPv6 } from 'node:net';
import { ipv6Octets, normaliseAddress } from './peer.ts';
import type { Lookup } from './dial.ts';

/** RFC 6052 section 2.2: the only lengths a prefix may have, and where the four octets of the IPv4 address then are. */
const PLACES = {
  32: [4, 5, 6, 7],
  40: [5, 6, 7, 9],
  48: [6, 7, 9, 10],
  56: [7, 9, 10, 11],
  64: [9, 10, 11, 12],
  96: [12, 13, 14, 15],
} as const;

export type Nat64Length = keyof typeof PLACES;
const LENGTHS: readonly Nat64Length[] = [96, 64, 56, 48, 40, 32];

/** RFC 6052 section 2.2: bits 64 to 71 are zero whatever the length, so the IPv4 address is written around them. */
const U_OCTET = 8;

export interface Nat64Prefix {
  /** An IPv6 address, nothing in it behind the length. */
  readonly address: string;
  readonly length: Nat64Length;
}

/** RFC 6052 section 2.1, and RFC 8215 for translation that a network keeps to itself. */
export const KNOWN_PREFIXES: readonly Nat64Prefix[] = [
  { address: '64:ff9b::', length: 96 },
  { address: '64:ff9b:1::', length: 48 },
];

/**
 * The IPv4 address that a translator would reach for this IPv6 address; undefined where none of the prefixes fits. The
 * longest that does decides: networks choose their own ones out of 64:ff9b:1::/48.
 */
export function embeddedIpv4(address: string, prefixes: readonly Nat64Prefix[] = KNOWN_PREFIXES): string | undefined {
  const octets = octetsOf(address);
  if (octets === undefined) return undefined;
  const fitting = prefixes.filter((prefix) => isWithin(octets, prefix));
  const length = LENGTHS.find((one) => fitting.some((prefix) => prefix.length === one));
  const ipv4 = length === undefined ? undefined : ipv4At(octets, length);
  // 0.0.0.0/8 is never a destination (RFC 1122 3.2.1.3): the prefix is a longer one that we have not been told.
  return ipv4?.startsWith('0.') === true ? undefined : ipv4;
}

/** RFC 7050 section 2.2: it has these two IPv4 addresses and no others; an IPv6 address of it was made by the network. */
const IPV4_ONLY = 'ipv4only.arpa';
const ITS_ADDRESSES = ['192.0.0.170', '192.0.0.171'];

/** Resolvers answer with one prefix or a few: what comes beyond is not believed. */
const MAX_PREFIXES = 8;

/** The prefixes that this network's DNS64 makes addresses with; none where it has none, or no answer. */
export async function nat64PrefixesOf(lookup: Lookup): Promise<Nat64Prefix[]> {
  const found = await lookup(IPV4_ONLY).catch(() => []);
  const made = found.map(({ address }) => octetsOf(address)).filter((octets) => octets !== undefined);
  for (const ipv4 of ITS_ADDRESSES) {
    const places = made.map((octets) => LENGTHS.filter((length) => ipv4At(octets, length) === ipv4));
    // RFC 7050 section 3: a prefix may itself hold one of the two, and only the other one tells where it ends.
    if (places.some((lengths) => lengths.length > 1)) continue;
    const prefixes = made.flatMap((octets, at) => (places[at] ?? []).map((length) => prefixOf(octets, length)));
    if (prefixes.length > 0) return prefixes.filter(isFirst).slice(0, MAX_PREFIXES);
  }
  return [];
}

function prefixOf(octets: Octets, length: Nat64Length): Nat64Prefix {
  return { address: textOf(octets.map((octet, at) => (at * 8 < length ? octet : 0))), length };
}

function isFirst(prefix: Nat64Prefix, at: number, all: readonly Nat64Prefix[]): boolean {
  return at === all.findIndex(({ address, length }) => address === prefix.address && length === prefix.length);
}

function isWithin(octets: Octets, { address, length }: Nat64Prefix): boolean {
  const prefix = octetsOf(address);
  return prefix !== undefined && octets.every((octet, at) => at * 8 >= length || octet === prefix[at]);
}

function ipv4At(octets: Octets, length: Nat64Length): string | undefined {
  return octets[U_OCTET] === 0 ? PLACES[length].map((at) => octets[at]).join('.') : undefined;
}

/** RFC 7335: a host that has one of 192.0.0.0/29 translates its own IPv4 to IPv6 (464XLAT), or tunnels it (DS-Lite). */
export function isClatAddress(address: string): boolean {
  return /^192\.0\.0\.[0-7]$/.test(normaliseAddress(address));
}

type Octets = readonly number[];

/** Undefined: it is no IPv6 address. An IPv4-mapped address is an IPv4 address. */
function octetsOf(address: string): Octets | undefined {
  const text = normaliseAddress(address);
  return isIPv6(text) ? [...ipv6Octets(text)] : undefined;
}

/** RFC 5952, as the platform writes it. */
function textOf(octets: Octets): string {
  const groups = Buffer.from(octets).toString('hex').match(/.{4}/g) ?? [];
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}
