// Who is at the other end of a connection: addresses normalised once, here, and nowhere else.

import { isIPv4, type Socket } from 'node:net';

export type Family = 'ipv4' | 'ipv6';

/** The other end as it was when the connection was accepted; IPv4-mapped addresses already are IPv4. */
export interface Peer {
  readonly address: string;
  readonly port: number;
  readonly family: Family;
  readonly isLoopback: boolean;
  /** Nobody on the way reads or changes what is said: the connection is TLS. Addresses are the transport's all the same. */
  readonly isEncrypted: boolean;
  readonly localAddress: string;
  readonly localPort: number;
}

/** RFC 4291 2.5.5.2: `::ffff:127.0.0.1` is the IPv4 address 127.0.0.1 and is shown, logged and judged as such. */
export function normaliseAddress(address: string): string {
  const mapped = /^::ffff:(?:0:)?(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1] !== undefined && isIPv4(mapped[1])) return mapped[1];
  const hex = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(address);
  if (hex?.[1] === undefined || hex[2] === undefined) return address;
  const high = Number.parseInt(hex[1], 16);
  const low = Number.parseInt(hex[2], 16);
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

export function familyOf(address: string): Family {
  return isIPv4(address) ? 'ipv4' : 'ipv6';
}

/** The sixteen of an IPv6 address in any spelling, without its zone. */
export function ipv6Octets(address: string): Buffer {
  // A URL's host is RFC 5952's spelling: no dotted end, at most one `::`.
  const [text = ''] = address.split('%', 1);
  const halves = new URL(`http://[${text}]`).hostname.slice(1, -1).split('::');
  const [head = [], tail = []] = halves.map((half) => half.split(':').filter((group) => group !== ''));
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  return Buffer.from([...head, ...zeros, ...tail].map((group) => group.padStart(4, '0')).join(''), 'hex');
}

/** RFC 1122 3.2.1.3 (127.0.0.0/8) and RFC 4291 2.5.3 (::1). Expects a normalised address. */
export function isLoopbackAddress(address: string): boolean {
  return address === '::1' || (isIPv4(address) && address.startsWith('127.'));
}

/** Of one link alone, RFC 3927 (169.254.0.0/16) and RFC 4291 2.5.6 (fe80::/10): elsewhere it is somebody else's. */
export function isLinkLocalAddress(address: string): boolean {
  return isIPv4(address) ? address.startsWith('169.254.') : /^fe[89ab][\da-f]:/i.test(address);
}

/** Undefined when the connection broke before it could be looked at. */
export function peerOf(socket: Socket): Peer | undefined {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  const address = normaliseAddress(remoteAddress);
  return {
    address,
    port: remotePort,
    family: familyOf(address),
    isLoopback: isLoopbackAddress(address),
    isEncrypted: 'encrypted' in socket && socket.encrypted === true,
    localAddress: normaliseAddress(localAddress ?? ''),
    localPort: localPort ?? 0,
  };
}
