// Where somebody elsewhere reaches a server that is on this machine: by the names that it was told to listen on, and by the
// addresses, which of `*` are this machine's own.

import { networkInterfaces } from 'node:os';
import type { Client, Listening } from '../../client/mod.ts';
import { formatHostPort, parseServerAddress } from '../../net/address.ts';
import { isLoopbackAddress, normaliseAddress } from '../../net/peer.ts';

/** A machine may have a hundred addresses, and nobody looks through so many. */
const MAX_PLACES = 8;
/** What an account is made at takes TLS, and the native protocol inside it; `+insecure` takes that as well. */
const TAKES_ACCOUNTS = /^(?:tcp|tls)(?:\+insecure)?$/;
/** The addresses of `*`, and what family they stand for. */
const ANY: Readonly<Record<string, 'ipv4' | 'ipv6'>> = { '0.0.0.0': 'ipv4', '::': 'ipv6' };

export interface OwnAddresses {
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
}

const NONE: OwnAddresses = { ipv4: [], ipv6: [] };

/**
 * `HOST:PORT`s, those by name first; none, if the server listens on this machine alone. Undefined: it tells its owner only.
 * `isHere`: it is on this very machine, and not at the other end of a tunnel, where `*` would be other addresses.
 */
export async function placesOf(client: Client, isHere: boolean): Promise<readonly string[] | undefined> {
  if (client.identity?.role !== 'owner') return undefined;
  return placesBeyond(await client.listening(), isHere ? ownAddresses() : NONE);
}

export function placesBeyond({ urls, names }: Listening, own: OwnAddresses): string[] {
  const beyond = urls.flatMap(read).filter(({ host }) => !isLoopbackAddress(host));
  const ports = new Set(beyond.map(({ port }) => port));
  const named = names.flatMap(read).filter(({ port }) => ports.has(port));
  const addressed = beyond.flatMap(({ host, port }) => {
    const family = ANY[host];
    return (family === undefined ? [host] : own[family]).map((address) => ({ host: address, port }));
  });
  const places = [...named, ...addressed].map(({ host, port }) => formatHostPort(host, port));
  return [...new Set(places)].slice(0, MAX_PLACES);
}

function read(url: string): { readonly host: string; readonly port: number }[] {
  const address = parseServerAddress(url);
  return 'refused' in address || !TAKES_ACCOUNTS.test(address.scheme ?? 'tcp') ? [] : [address];
}

/** Not those of this machine's links alone (RFC 4291 2.5.6), which need a zone that is another one elsewhere. */
function ownAddresses(): OwnAddresses {
  const all = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses);
  const beyond = all
    .map(({ address }) => normaliseAddress(address))
    .filter((address) => !isLoopbackAddress(address) && !/^fe80:/i.test(address));
  return {
    ipv4: beyond.filter((address) => !address.includes(':')),
    ipv6: beyond.filter((address) => address.includes(':')),
  };
}
