// Who may have a WebSocket: any program, but of the pages in browsers only ours. A browser lets every page ask for one
// and says in `Origin` whose it is; nothing else says so.

import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { isKnownHost } from './host.ts';

export const NATIVE_PATH = '/native';

type Asked = Pick<IncomingMessage, 'headers' | 'url'>;

/** The whole answer to a request that may not have one. */
export function refusalOfUpgrade({ headers, url }: Asked, names: ReadonlySet<string>): string | undefined {
  const { host, origin } = headers;
  if (!isKnownHost(host, names)) {
    return worded('421 Misdirected Request', 'Cannot answer: the Host of the request is not a name of this server');
  }
  if ((url ?? '').split('?', 1)[0] !== NATIVE_PATH) {
    return worded('404 Not Found', `Cannot find that here: ${NATIVE_PATH} is where WebSockets are`);
  }
  if (origin !== undefined && !isOwnOrigin(origin, { host: host ?? '', names })) {
    return worded('403 Forbidden', 'Cannot open a WebSocket: the page that asks is not of this server');
  }
  return undefined;
}

/**
 * A page at the same port under a name of this server. An address counts only where it is the one that was called or
 * a loopback one: behind any other may be anybody.
 */
export function isOwnOrigin(origin: string, { host, names }: { host: string; names: ReadonlySet<string> }): boolean {
  const page = URL.parse(origin);
  const called = URL.parse(`${page?.protocol}//${host}`);
  if (page === null || called === null || page.origin !== origin.toLowerCase()) return false;
  if (page.protocol !== 'http:' && page.protocol !== 'https:') return false;
  if (page.port !== called.port) return false;
  if (page.hostname === called.hostname) return true;
  const bare = page.hostname.replace(/^\[|\]$/g, '');
  if (isIP(bare) !== 0) return bare === '::1' || bare.startsWith('127.');
  return isKnownHost(page.hostname, names);
}

function worded(status: string, error: string): string {
  const body = `${JSON.stringify({ error })}\n`;
  const headers = [
    'Connection: close',
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return `HTTP/1.1 ${status}\r\n${headers.join('\r\n')}\r\n\r\n${body}`;
}
