// Which hosts are this server's: what a request may name in `Host`, and a page in `Origin`.

import { isIP } from 'node:net';

export const LOOPBACK_NAMES = ['localhost', 'ip6-localhost', 'ip6-loopback'];

/** RFC 6761 6.3: they all lead here; and the page of an invitation shows them in a command. */
const UNDER_LOCALHOST = /^[a-z0-9.-]+\.localhost$/;

/** Loopback names, address literals, and the names an operator gave; with or without a port. */
export function isKnownHost(host: string | undefined, names: ReadonlySet<string>): boolean {
  const bare = /^(?:\[([^\]]+)\]|([^:]+))(?::\d{1,5})?$/.exec(host ?? '');
  const literal = bare?.[1];
  if (literal !== undefined) return isIP(literal) === 6;
  const name = bare?.[2]?.toLowerCase().replace(/\.$/, '');
  if (name === undefined) return false;
  return isIP(name) === 4 || names.has(name) || UNDER_LOCALHOST.test(name);
}
