// Where a server is and whether it is spoken to in plain text or by TLS: one rule for every command. Without a scheme,
// plain text goes towards loopback only, judged by the address that was reached and never by what was typed.

import { DEFAULT_PORT, formatHostPort, parseServerAddress } from '../net/address.ts';
import { connectTo, dial, DialError, type Dialled, type DialOptions } from '../net/dial.ts';
import { ReadMemory } from '../net/read-memory.ts';
import { isLoopbackAddress, normaliseAddress } from '../net/peer.ts';
import { quote } from '../protocol/text.ts';
import type { Trust } from './trust.ts';

/** Says that plain text beyond loopback is meant. */
const INSECURE = 'tcp+insecure';

/** What differs between the protocols that a client speaks. */
export interface Policy {
  /** As it is called in a refusal of other schemes. */
  readonly what: string;
  /** Scheme to the port where it is at home. Without a scheme it is `tcp`. */
  readonly ports: Readonly<Record<string, number>>;
  /** Where it is plain text: towards loopback and where that was asked for, or anywhere unless TLS was, or nowhere. */
  readonly plain: 'asked' | 'anywhere' | 'never';
  /** Beyond loopback it goes nowhere, whatever was asked for. */
  readonly isLoopbackOnly?: true;
}

export const LINES: Policy = {
  what: 'the line protocol',
  ports: { tcp: DEFAULT_PORT, tls: DEFAULT_PORT, line: DEFAULT_PORT, [INSECURE]: DEFAULT_PORT },
  plain: 'asked',
};

/** Credentials go over it: where that is plain text beyond loopback, the client keeps them back. */
export const NATIVE: Policy = {
  what: 'the native protocol',
  ports: { tcp: DEFAULT_PORT, tls: DEFAULT_PORT, [INSECURE]: DEFAULT_PORT },
  plain: 'asked',
};

/**
 * A machine does what it is told, so it has to know by whom. On loopback too: whoever is logged in there can take the port
 * of a server that is down.
 */
export const MACHINE: Policy = {
  what: 'commands for a machine',
  ports: { tcp: DEFAULT_PORT, tls: DEFAULT_PORT },
  plain: 'never',
};

/** The owner token counts from loopback only, by TLS too. */
export const OWNER: Policy = {
  what: 'commands',
  ports: { tcp: DEFAULT_PORT, tls: DEFAULT_PORT, [INSECURE]: DEFAULT_PORT },
  plain: 'asked',
  isLoopbackOnly: true,
};

/** Where a server's `echo://` listener is unless told otherwise: RFC 862's own port 7 needs rights. */
export const DEFAULT_ECHO_PORT = 7007;

/** RFC 862 is plain by nature, and nothing in it is worth protecting. */
export const ECHO: Policy = {
  what: 'echo',
  ports: {
    tcp: DEFAULT_PORT,
    tls: DEFAULT_PORT,
    [INSECURE]: DEFAULT_PORT,
    echo: DEFAULT_ECHO_PORT,
    'echo+insecure': DEFAULT_ECHO_PORT,
  },
  plain: 'anywhere',
};

/** `unreached`: nobody could be asked. `denied`: it is not allowed, by the server or by us. */
export type ReachFailure = 'unreached' | 'denied';

/** The server could not be reached, or not in a way that is safe. The message is one line. */
export class ReachError extends Error {
  override readonly name = 'ReachError';
  readonly kind: ReachFailure;

  constructor(kind: ReachFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

export interface Target {
  readonly scheme: string;
  readonly host: string;
  readonly port: number;
}

/** How it was written, and what was expected. */
export interface TargetRefusal {
  readonly wrong: string;
}

/** Reads `[SCHEME://]HOST[:PORT]`, for this protocol. */
export function readTarget(text: string, { what, ports }: Policy): Target | TargetRefusal {
  const given = parseServerAddress(text);
  if ('refused' in given) return { wrong: given.refused };
  const { scheme = 'tcp' } = given;
  const defaultPort = Object.hasOwn(ports, scheme) ? ports[scheme] : undefined;
  if (defaultPort === undefined) {
    const known = Object.keys(ports).map((one) => `${one}://`);
    return { wrong: `${quote(scheme)} does not carry ${what}: expected ${known.join(', ')} or no scheme` };
  }
  const address = parseServerAddress(text, { defaultPort });
  return 'refused' in address ? { wrong: address.refused } : { scheme, host: address.host, port: address.port };
}

export interface Reached extends Dialled {
  /** As it was given, without scheme and port. */
  readonly host: string;
  /** Of the server's public key, which is the one that is remembered; undefined: plain text. */
  readonly fingerprint: string | undefined;
  /** The key was known before. */
  readonly isKnown: boolean;
}

/** What it takes to tell how a server was spoken to. */
export type Plain = Pick<Reached, 'socket' | 'host' | 'port' | 'fingerprint'>;

/** For a server that has said nothing in plain text: it may take TLS alone. */
export function hintOfTls({ socket, host, port, fingerprint }: Plain): string {
  return fingerprint === undefined && socket.bytesRead === 0
    ? `; if that port takes TLS alone it is tls://${formatHostPort(host, port)}`
    : '';
}

export interface ReachOptions {
  readonly policy: Policy;
  readonly trust: Trust;
  readonly signal?: AbortSignal | undefined;
  readonly allowHalfOpen?: boolean;
  /** Of the host, where it is known which one is meant. */
  readonly address?: string | undefined;
}

/** Connects to `[SCHEME://]HOST[:PORT]`. Throws a `ReachError`, or the signal's reason; nothing has been sent then. */
export async function reach(text: string, options: ReachOptions): Promise<Reached> {
  const target = readTarget(text, options.policy);
  if ('wrong' in target) throw new ReachError('unreached', target.wrong);
  try {
    return await attempt(target, options);
  } catch (error) {
    if (!isOfNoTls(error)) throw error;
    // A server greets whoever is silent for 300 ms, also somebody who was held up: that was no answer to TLS.
    return attempt(target, options);
  }
}

async function attempt(
  target: Target,
  { policy, trust, signal, address, allowHalfOpen = false }: ReachOptions,
): Promise<Reached> {
  const { host, port } = target;
  const tls = mayNeedTls(target, policy) ? await import('./secure.ts') : undefined;
  // Each attempt of the race is by TLS where that is the way to its address: TLS reads best what it has dialled itself.
  const connect: DialOptions['connect'] = (to, ...more) => {
    const way = wayTo(target, { address: to.address, policy });
    if (way === 'tls' && tls !== undefined) return tls.connectByTls(to, { host, port, allowHalfOpen });
    return connectTo(to, ...more, way === 'plain' ? new ReadMemory() : undefined);
  };
  const dialling = { host: address ?? host, port, signal, allowHalfOpen, connect };
  const dialled = await dial(dialling).catch((error: unknown) => {
    throw error instanceof DialError ? new ReachError('unreached', error.message, { cause: error }) : error;
  });
  const way = wayTo(target, { address: dialled.address, policy });
  if (typeof way === 'object') {
    dialled.socket.destroy();
    throw new ReachError('denied', `Cannot connect to ${formatHostPort(host, port)}: ${way.refused}`);
  }
  if (way === 'plain') return { ...dialled, host, fingerprint: undefined, isKnown: false };
  const { secure, SecureError } = tls ?? (await import('./secure.ts'));
  const secured = await secure(dialled, { host, trust, signal }).catch((error: unknown) => {
    if (!(error instanceof SecureError)) throw error;
    throw new ReachError(error.kind === 'denied' ? 'denied' : 'unreached', error.message, { cause: error });
  });
  return { ...secured, host };
}

function isOfNoTls(error: unknown): boolean {
  const cause = error instanceof ReachError ? error.cause : undefined;
  return cause instanceof Error && 'kind' in cause && cause.kind === 'otherwise';
}

function mayNeedTls({ scheme, host }: Target, { plain }: Policy): boolean {
  if (plain === 'never') return true;
  if (scheme !== 'tcp') return scheme === 'tls';
  return host.toLowerCase() !== 'localhost' && !isLoopbackAddress(normaliseAddress(host));
}

export type Way = 'plain' | 'tls' | { readonly refused: string };

/** How the address that was reached is spoken to. TLS that fails is never followed by plain text. */
export function wayTo({ scheme, host, port }: Target, { address, policy }: { address: string; policy: Policy }): Way {
  const isLoopback = isLoopbackAddress(address);
  if (policy.isLoopbackOnly && !isLoopback) {
    return {
      refused: `not allowed: the owner token counts from loopback only, ${address} is not, and nothing was sent`,
    };
  }
  if (scheme === 'tls' || policy.plain === 'never') return 'tls';
  if (isLoopback || policy.plain === 'anywhere' || scheme === INSECURE) return 'plain';
  if (scheme === 'tcp') return 'tls';
  const meant = `${INSECURE}://${formatHostPort(host, port)}`;
  return {
    refused: `${address} is not loopback, ${scheme}:// is plain text, and nothing was sent; ${meant} says that it is meant`,
  };
}
