// Listening: what an operator asks for as URLs, bound by address on every family the machine has.

import { lookup } from 'node:dns/promises';
import { createServer, isIP, type Server, type Socket } from 'node:net';
import { DEFAULT_PORT, formatUrl, parseServerAddress } from './address.ts';
import { escapeControls, quote } from '../protocol/text.ts';
import { isLoopbackAddress, normaliseAddress } from './peer.ts';

/** What is spoken at a listener; `tcp` is every protocol, told apart by the first bytes; `tls` the same inside TLS. */
export type Scheme = 'tcp' | 'tls' | 'line' | 'http' | 'https' | 'echo';

export interface Listen {
  readonly scheme: Scheme;
  /** Plain text beyond loopback was asked for by name (`tcp+insecure://`). */
  readonly isInsecure: boolean;
  /** A name or address; `localhost` is both loopbacks by address, `*` every address of both families. */
  readonly host: string;
  readonly port: number;
}

export interface Listener {
  readonly scheme: Scheme;
  readonly url: string;
  /** The same with the name that was asked for; undefined: it was an address, `*` or `localhost`. */
  readonly named: string | undefined;
  /** Accepts no more connections; those accepted go on. */
  close(): void;
}

const SCHEMES: readonly string[] = ['tcp', 'tls', 'line', 'http', 'https', 'echo'] satisfies Scheme[];
/** Nothing is said there in plain text. */
const ENCRYPTED: ReadonlySet<string> = new Set<Scheme>(['tls', 'https']);
const LATER: ReadonlySet<string> = new Set(['irc', 'ircs', 'ssh']);
/** RFC 862 has port 7, which is for root. */
const ECHO_PORT = 7_007;
/** Connections the kernel holds until they are accepted; it cuts this to its own limit (net.core.somaxconn). */
const BACKLOG = 4_096;
/** Tries to find a port that is free in both families. */
const PORT_TRIES = 20;
const KEEP_ALIVE_MS = 60_000;

/** One `--listen` URL, or why it is none. */
export function parseListen(text: string): Listen | { refused: string } {
  const at = text.indexOf('://');
  const shown = escapeControls(text);
  if (at < 0) return { refused: `Cannot listen on ${shown}: expected SCHEME://HOST:PORT, as in tcp://localhost:7270` };
  const asked = text.slice(0, at).toLowerCase();
  const isInsecure = asked.endsWith('+insecure');
  const scheme = isInsecure ? asked.slice(0, -'+insecure'.length) : asked;
  if (LATER.has(scheme)) return { refused: `Cannot listen on ${shown}: ${scheme}:// is not available yet` };
  if (!isScheme(scheme)) {
    return { refused: `Cannot listen on ${shown}: the scheme is one of ${SCHEMES.join(', ')}, not ${quote(scheme)}` };
  }
  if (isInsecure && ENCRYPTED.has(scheme)) {
    return { refused: `Cannot listen on ${shown}: ${scheme}:// is never plain text, and +insecure asks for that` };
  }
  const parsed = parseServerAddress(text, {
    listening: true,
    defaultPort: scheme === 'echo' ? ECHO_PORT : DEFAULT_PORT,
  });
  return 'refused' in parsed ? parsed : { scheme, isInsecure, host: parsed.host, port: parsed.port };
}

function isScheme(text: string): text is Scheme {
  return SCHEMES.includes(text);
}

/** Addresses to bind for a host; a name gives every address it has. */
export async function addressesOf(host: string): Promise<string[]> {
  if (host === '*') return ['0.0.0.0', '::'];
  if (host.toLowerCase() === 'localhost') return ['127.0.0.1', '::1'];
  if (isIP(host) !== 0) return [normaliseAddress(host)];
  const found = await lookup(host, { all: true, order: 'verbatim' });
  return [...new Set(found.map(({ address }) => normaliseAddress(address)))];
}

export interface Bound {
  readonly listeners: Listener[];
  /** Families that the machine lacks: one sentence each. */
  readonly warnings: string[];
}

export interface BindOptions {
  /** A connection could not be accepted, for want of descriptors or memory; the listener goes on all the same. */
  readonly onAcceptError?: (error: Error) => void;
}

/** Binds every address of a listener or none. Throws an Error whose message is the whole story. */
export async function bind(
  listen: Listen,
  onConnection: (socket: Socket) => void,
  { onAcceptError = () => {} }: BindOptions = {},
): Promise<Bound> {
  const scheme = listen.isInsecure ? `${listen.scheme}+insecure` : listen.scheme;
  const url = formatUrl(scheme, listen.host, listen.port);
  const addresses = await addressesOf(listen.host).catch((error: unknown) => {
    throw new Error(`Cannot listen on ${url}: the name does not resolve (${codeOf(error)})`, { cause: error });
  });
  const exposed = addresses.find((address) => !isLoopbackAddress(address));
  if (exposed !== undefined && !listen.isInsecure && !ENCRYPTED.has(listen.scheme)) {
    throw new Error(
      `Cannot listen on ${url}: ${exposed} is reachable from other machines and this would be plain text; ` +
        `${url.replace('://', '+insecure://')} says that it is meant`,
    );
  }
  for (let tries = 1; ; tries++) {
    const attempt = await bindAll(addresses, listen.port, onConnection);
    const missing = attempt.missing.map(
      (address) => `Cannot listen on ${formatUrl(scheme, address, listen.port)}: this machine lacks the address family`,
    );
    if (attempt.failed === undefined && attempt.servers.length > 0) {
      const listeners = attempt.servers.map((server) => listenerOf(server, listen, scheme));
      for (const server of attempt.servers) server.on('error', onAcceptError);
      return { listeners, warnings: missing };
    }
    for (const server of attempt.servers) server.close();
    if (attempt.failed === undefined) throw new Error(missing.join('; '));
    const { address, port, error } = attempt.failed;
    const code = codeOf(error);
    // The port that one family gave is taken in the other: another one, then.
    if (code === 'EADDRINUSE' && listen.port === 0 && tries < PORT_TRIES) continue;
    const why = WORDS[code] ?? code;
    throw new Error(`Cannot listen on ${formatUrl(scheme, address, port)}: ${why}`, { cause: error });
  }
}

interface Attempt {
  readonly servers: Server[];
  /** Addresses of a family that the machine lacks. */
  readonly missing: string[];
  /** The address that stopped it. */
  failed?: { address: string; port: number; error: unknown };
}

/** Binds one address after the other, all on the port that the first one got, up to the first that fails. */
async function bindAll(
  addresses: readonly string[],
  port: number,
  onConnection: (socket: Socket) => void,
): Promise<Attempt> {
  const attempt: Attempt = { servers: [], missing: [] };
  let common = port;
  for (const address of addresses) {
    try {
      const server = await bindOne(address, common, onConnection);
      attempt.servers.push(server);
      common = portOf(server);
    } catch (error) {
      if (!isFamilyMissing(codeOf(error), address)) return { ...attempt, failed: { address, port: common, error } };
      attempt.missing.push(address);
    }
  }
  return attempt;
}

const WORDS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the address is in use',
  EADDRNOTAVAIL: 'this machine does not have the address',
  EACCES: 'the port needs more rights than this user has',
};

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

/** No IPv6 (or IPv4) at all, or its loopback is missing. */
function isFamilyMissing(code: string, address: string): boolean {
  if (code === 'EAFNOSUPPORT') return true;
  return code === 'EADDRNOTAVAIL' && (address === '::1' || address === '127.0.0.1' || address === '::');
}

function bindOne(host: string, port: number, onConnection: (socket: Socket) => void): Promise<Server> {
  const server = createServer(
    { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS },
    onConnection,
  );
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // A server for IPv6 takes IPv6 alone, so that each address bound is one line of the start-up text.
    server.listen({ host, port, ipv6Only: true, backlog: BACKLOG }, () => {
      server.off('error', reject);
      resolve(server);
    });
  });
}

function listenerOf(server: Server, { scheme, host }: Listen, shown: string): Listener {
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('a TCP server has an address');
  const { address, port } = bound;
  const named = isName(host) ? formatUrl(shown, host, port) : undefined;
  return { scheme, url: formatUrl(shown, address, port), named, close: () => server.close() };
}

function isName(host: string): boolean {
  return host !== '*' && host.toLowerCase() !== 'localhost' && isIP(host) === 0;
}

function portOf(server: Server): number {
  const bound = server.address();
  return bound === null || typeof bound === 'string' ? 0 : bound.port;
}
