// How many connections may be open: in all, because descriptors are, and from one address, because patience is.

import { readFileSync } from 'node:fs';
import { ipv6Octets, type Peer } from './peer.ts';

/** From one IPv4 address or one IPv6 /64, a classroom behind one router included; loopback is exempt. */
export const MAX_CONNECTIONS_PER_PREFIX = 256;
/** Descriptors kept back for as many commands as may run at once, 256 of them with four each at most. */
export const COMMAND_DESCRIPTORS = 1_024;
/** Descriptors kept back for the rest: a few dozen of Node's own, listeners, files, the process that starts commands. */
export const HOUSE_DESCRIPTORS = 64;
/** Where the system does not say how many descriptors a process may have. */
const ASSUMED_DESCRIPTORS = 1_024;

/**
 * Connections in all, from the descriptors this process may open. Where those are few (`ulimit -n 1024`) half are for
 * connections, and the other half holds the house and fewer commands: one too many of those is refused in words.
 */
export function maxConnections(limits = readLimits()): number {
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  const descriptors = soft === undefined ? ASSUMED_DESCRIPTORS : Number(soft);
  return Math.max(descriptors - COMMAND_DESCRIPTORS - HOUSE_DESCRIPTORS, Math.floor(descriptors / 2));
}

function readLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return '';
  }
}

export class ConnectionLimits {
  readonly #max: number;
  readonly #maxPerPrefix: number;
  readonly #perPrefix = new Map<string, number>();
  #open = 0;

  constructor(max = maxConnections(), maxPerPrefix = MAX_CONNECTIONS_PER_PREFIX) {
    this.#max = max;
    this.#maxPerPrefix = maxPerPrefix;
  }

  /** Counts the connection in, or says why it is one too many. */
  enter(peer: Peer): string | undefined {
    if (this.#open >= this.#max) return `this server has ${this.#open} connections and takes no more`;
    const prefix = countedAs(peer);
    if (prefix !== undefined) {
      const open = this.#perPrefix.get(prefix) ?? 0;
      if (open >= this.#maxPerPrefix) return `${open} connections come from ${prefix} and no more are taken`;
      this.#perPrefix.set(prefix, open + 1);
    }
    this.#open++;
    return undefined;
  }

  leave(peer: Peer): void {
    this.#open--;
    const prefix = countedAs(peer);
    if (prefix === undefined) return;
    const open = (this.#perPrefix.get(prefix) ?? 1) - 1;
    if (open === 0) this.#perPrefix.delete(prefix);
    else this.#perPrefix.set(prefix, open);
  }
}

/** As whom a peer is counted where addresses are; undefined: loopback, where they are not. */
export function countedAs(peer: Pick<Peer, 'address' | 'family' | 'isLoopback'>): string | undefined {
  return peer.isLoopback ? undefined : prefixOf(peer);
}

/** An IPv4 address as it is; of an IPv6 address the /64, which is what one subscriber is given (RFC 6177). */
export function prefixOf({ address, family }: Pick<Peer, 'address' | 'family'>): string {
  if (family === 'ipv4') return address;
  const octets = ipv6Octets(address);
  const groups = [0, 2, 4, 6].map((at) => octets.readUInt16BE(at).toString(16));
  return `${groups.join(':')}::/64`;
}
