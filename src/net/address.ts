// How a server is named on a command line: `[SCHEME://]HOST[:PORT]`, read once, here. HOST is a name, an IPv4 address
// or an IPv6 address, in brackets when a port follows (RFC 3986 3.2.2); a zone may follow it (RFC 4007 11).

import { isIPv4, isIPv6 } from 'node:net';
import { quote } from '../protocol/text.ts';

/** Where a Partyline server listens when nobody says otherwise. */
export const DEFAULT_PORT = 7270;

/** RFC 1035 2.3.4: 255 octets on the wire are 253 characters in writing. */
const MAX_NAME_LENGTH = 253;

const MAX_PORT = 65_535;

export interface ServerAddress {
  /** Lower case, without `://`. */
  readonly scheme: string | undefined;
  /** As given, without brackets: what is dialled. */
  readonly host: string;
  readonly port: number;
}

export interface AddressOptions {
  readonly defaultPort?: number;
  /** An address to listen on may also be `*` (every address) and its port 0 (any free one). */
  readonly listening?: boolean;
}

export type Refused = { readonly refused: string };

const SHAPE = 'expected [SCHEME://]HOST[:PORT]';

// oxlint-disable-next-line no-control-regex -- these are what is looked for
const BLANK_OR_CONTROL = /[\s\x00-\x1f\x7f-\x9f]/u;

/** Reads what a person gave as a server. A refusal is a whole sentence, fit to be shown. */
export function parseServerAddress(text: string, options: AddressOptions = {}): ServerAddress | Refused {
  const { defaultPort = DEFAULT_PORT, listening = false } = options;
  const no = (why: string): Refused => ({ refused: `Cannot use ${quote(text)} as an address: ${why}` });

  if (text === '') return no(`it is empty, ${SHAPE}`);
  if (BLANK_OR_CONTROL.test(text)) return no(`it has a space or a control character in it, ${SHAPE}`);
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text);
  const rest = scheme === null ? text : text.slice(scheme[0].length);
  // What stands before an @ may be a password: it is not shown again.
  if (rest.includes('@')) return { refused: `Cannot use an address with a user or a password in it: ${SHAPE}` };
  if (/[/?#\\]/.test(rest)) return no(`nothing may follow the host and port, ${SHAPE}`);

  const split = splitPort(rest);
  if (split === undefined) return no('the brackets do not match, expected [IPV6]:PORT');
  const { host, port: digits, isBracketed } = split;
  const port = digits === undefined ? defaultPort : parsePort(digits, listening ? 0 : 1);
  if (port === undefined) {
    return no(`the port is ${quote(digits ?? '')}, expected a number from ${listening ? 0 : 1} to ${MAX_PORT}`);
  }
  const wrong = isBracketed || host.includes(':') ? wrongIPv6(host, isBracketed) : wrongHost(host, listening);
  if (wrong !== undefined) return no(wrong);
  return { scheme: scheme?.[1]?.toLowerCase(), host, port };
}

/** `HOST:PORT`, an IPv6 address in brackets. */
export function formatHostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

export function formatUrl(scheme: string, address: string, port: number): string {
  return `${scheme}://${formatHostPort(address, port)}`;
}

function splitPort(rest: string): { host: string; port?: string; isBracketed: boolean } | undefined {
  const bracketed = /^\[([^[\]]*)\](?::(.*))?$/.exec(rest);
  if (bracketed?.[1] !== undefined) {
    return { host: bracketed[1], isBracketed: true, ...(bracketed[2] !== undefined && { port: bracketed[2] }) };
  }
  if (/[[\]]/.test(rest)) return undefined;
  const colon = rest.indexOf(':');
  // Two colons and no brackets: an IPv6 address, which then has no room for a port.
  if (colon === -1 || colon !== rest.lastIndexOf(':')) return { host: rest, isBracketed: false };
  return { host: rest.slice(0, colon), port: rest.slice(colon + 1), isBracketed: false };
}

function parsePort(digits: string, lowest: number): number | undefined {
  if (!/^\d{1,5}$/.test(digits)) return undefined;
  const port = Number(digits);
  return port >= lowest && port <= MAX_PORT ? port : undefined;
}

function wrongIPv6(host: string, isBracketed: boolean): string | undefined {
  if (isIPv6(host)) return undefined;
  const hint = isBracketed ? '' : '; an IPv6 address with a port is written [IPV6]:PORT';
  return `${quote(host)} is not an IPv6 address${hint}`;
}

function wrongHost(host: string, listening: boolean): string | undefined {
  if (host === '') return `the host is missing, ${SHAPE}`;
  if (host === '*') return listening ? undefined : 'to connect, one host is needed';
  if (isIPv4(host)) return undefined;
  const name = host.endsWith('.') ? host.slice(0, -1) : host;
  if (name.length > MAX_NAME_LENGTH) return `a host name has at most ${MAX_NAME_LENGTH} characters`;
  const labels = name.split('.');
  // getaddrinfo reads `7270` and `127.1` as IPv4 addresses (inet_aton): what is meant is hardly 0.0.28.102.
  if (/^(?:\d+|0x[0-9a-f]*)$/i.test(labels.at(-1) ?? '')) return `${quote(host)} is neither a name nor an IPv4 address`;
  const isName = labels.every((label) => /^[\p{L}\p{M}\p{N}_-]{1,63}$/u.test(label) && !label.startsWith('-'));
  return isName ? undefined : `${quote(host)} is not a host name`;
}
