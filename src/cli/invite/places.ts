// Where somebody elsewhere reaches a server: by the names that it was told to listen on, and by the addresses, which of `*`
// are those of its machine.

import type { Client, Listening } from '../../client/mod.ts';
import { formatHostPort, parseServerAddress } from '../../net/address.ts';
import { isLinkLocalAddress, isLoopbackAddress, normaliseAddress } from '../../net/peer.ts';
import { ownAddresses, type OwnAddresses } from './own-addresses.ts';

/** A machine may have a hundred addresses, and nobody looks through so many. */
const MAX_PLACES = 8;
/** What an account is made at takes TLS, and the native protocol inside it; `+insecure` takes that as well. */
const TAKES_ACCOUNTS = /^(?:tcp|tls)(?:\+insecure)?$/;
/** The addresses of `*`, and what family they stand for. */
const ANY: Readonly<Record<string, 'ipv4' | 'ipv6'>> = { '0.0.0.0': 'ipv4', '::': 'ipv6' };
/** RFC 1918 and RFC 6598, of IPv6 RFC 4193: what many networks have, each for itself. */
const PRIVATE =
  /^(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|f[cd][\da-f]{2}:)/i;

/** Whoever is at the other end of a tunnel knows no address of the server's machine. */
const NONE: OwnAddresses = { ipv4: [], ipv6: [], outward: [] };

export type Places =
  /** The server tells its owner only. */
  | { readonly listens: 'untold' }
  /** On its own machine alone. */
  | { readonly listens: 'here' }
  /**
   * `places`: `HOST:PORT`s, those by name first, then those that lead there from farthest away; none, if it is not known
   * here which addresses these `urls` stand for.
   */
  | { readonly listens: 'beyond'; readonly places: readonly string[]; readonly urls: readonly string[] };

export async function placesOf(client: Client): Promise<Places> {
  if (client.identity?.role !== 'owner') return { listens: 'untold' };
  // The owner token counts on the server's own machine alone, and not through a tunnel.
  const isThere = client.cameInBy === 'owner token';
  return placesBeyond(await client.listening(), isThere ? await ownAddresses() : NONE);
}

export function placesBeyond({ urls, names }: Listening, own: OwnAddresses): Places {
  const beyond = urls.flatMap(read).filter(({ host }) => !isLoopbackAddress(normaliseAddress(host)));
  if (beyond.length === 0) return { listens: 'here' };
  const ports = new Set(beyond.map(({ port }) => port));
  const named = names.flatMap(read).filter(({ port }) => ports.has(port));
  const nearness = (address: string): number => (PRIVATE.test(address) ? (own.outward.includes(address) ? 1 : 2) : 0);
  const addressed = beyond
    .flatMap((one) => {
      const family = ANY[one.host];
      return family === undefined ? [one] : own[family].map((host) => ({ ...one, host }));
    })
    .filter(({ host }) => !isLinkLocalAddress(host))
    .toSorted((one, other) => nearness(one.host) - nearness(other.host));
  const places = [...named, ...addressed].map(({ host, port }) => formatHostPort(host, port));
  const unique = [...new Set(places)].slice(0, MAX_PLACES);
  return { listens: 'beyond', places: unique, urls: beyond.map(({ url }) => url) };
}

function read(url: string): { readonly url: string; readonly host: string; readonly port: number }[] {
  const address = parseServerAddress(url);
  if ('refused' in address || !TAKES_ACCOUNTS.test(address.scheme ?? 'tcp')) return [];
  return [{ url, host: address.host, port: address.port }];
}
