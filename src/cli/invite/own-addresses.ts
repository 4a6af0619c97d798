// This machine's own addresses, as far as others may reach it by them.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { familyOf, isLoopbackAddress, isLinkLocalAddress, normaliseAddress, type Family } from '../../net/peer.ts';

export interface OwnAddresses {
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
  /** Those of them by which this machine speaks to others far away, and not to what it hosts itself, as by a bridge. */
  readonly outward: readonly string[];
}

/** Addresses of nobody (RFC 5737, RFC 3849), so far away that the way to them is the way to everybody. */
const FAR = { ipv4: '192.0.2.1', ipv6: '2001:db8::1' } as const;
/** Discard, RFC 863: connecting a UDP socket chooses an address of one's own, and sends nothing. */
const PORT = 9;

export async function ownAddresses(): Promise<OwnAddresses> {
  const addresses = Object.values(networkInterfaces())
    .flatMap((all = []) => all)
    .map(({ address }) => normaliseAddress(address))
    .filter((address) => !isLoopbackAddress(address) && !isLinkLocalAddress(address));
  const of = (family: Family) => addresses.filter((address) => familyOf(address) === family);
  const outward = await Promise.all([outwardAddress('ipv4'), outwardAddress('ipv6')]);
  return { ipv4: of('ipv4'), ipv6: of('ipv6'), outward: outward.filter((address) => address !== undefined) };
}

/** Undefined: there is no way to far away. */
async function outwardAddress(family: Family): Promise<string | undefined> {
  const socket = createSocket(family === 'ipv4' ? 'udp4' : 'udp6');
  try {
    const connected = once(socket, 'connect');
    socket.connect(PORT, FAR[family]);
    await connected;
    return socket.address().address;
  } catch {
    return undefined;
  } finally {
    socket.close();
  }
}
