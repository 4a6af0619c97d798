// The door for browsers and monitors. So far it tells whether the server is well; everything else is not found.
// `Host` is held against a list: a page that rebinds its own name to this address is not a page of ours.

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { isIP, type Socket } from 'node:net';
import type { Log } from '../../log/log.ts';
import type { Peer } from '../../net/peer.ts';
import type { Door } from '../door.ts';

/** A request whose headers take longer is nobody's. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_TIMEOUT_MS = 5_000;
const MAX_HEADER_BYTES = 16_384;

const BAD_REQUEST = 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

const LOOPBACK_NAMES = ['localhost', 'ip6-localhost', 'ip6-loopback'];

export interface HttpDoorOptions {
  /** What `/healthz` tells. */
  readonly health: () => Readonly<Record<string, string | number | boolean>>;
  /** Names by which an operator lets this server be reached, beside loopback's and addresses. */
  readonly hostNames: readonly string[];
  readonly log: Log;
}

export class HttpDoor implements Door {
  readonly #options: HttpDoorOptions;
  readonly #hostNames: ReadonlySet<string>;
  readonly #open = new Set<Socket>();
  #server: Promise<Server> | undefined;

  constructor(options: HttpDoorOptions) {
    this.#options = options;
    this.#hostNames = new Set([...LOOPBACK_NAMES, ...options.hostNames.map((name) => name.toLowerCase())]);
  }

  accept(socket: Socket, _peer: Peer, first: Uint8Array): void {
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    this.#server ??= this.#start();
    void this.#server.then((server) => {
      if (socket.destroyed) return;
      if (first.length > 0) socket.unshift(first);
      server.emit('connection', socket);
      socket.resume();
    });
  }

  async close(signal: AbortSignal): Promise<void> {
    const server = await this.#server;
    server?.closeIdleConnections();
    const cut = () => {
      for (const socket of this.#open) socket.destroy();
    };
    // Requests are answered at once, so nobody is owed an answer that takes long.
    if (server === undefined || signal.aborted) cut();
    else {
      for (const socket of this.#open) socket.end();
      signal.addEventListener('abort', cut, { once: true });
      await Promise.all(Array.from(this.#open, (socket) => new Promise((resolve) => socket.once('close', resolve))));
    }
  }

  /** Loaded with the first request: `node:http` costs start-up time that most servers never need. */
  async #start(): Promise<Server> {
    const { createServer } = await import('node:http');
    const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (request, response) =>
      this.#answer(request, response),
    );
    // Said and then closed in order: cut at once, the words could be lost on the way.
    server.on('clientError', (_error, socket) => socket.end(BAD_REQUEST));
    server.headersTimeout = HEADERS_TIMEOUT_MS;
    server.requestTimeout = REQUEST_TIMEOUT_MS;
    server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS;
    return server;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    if (!isKnownHost(request.headers.host, this.#hostNames)) {
      return say(response, 421, { error: 'Cannot answer: the Host of the request is not a name of this server' });
    }
    const path = (request.url ?? '').split('?', 1)[0];
    if (path !== '/healthz') return say(response, 404, { error: 'Cannot find that here: /healthz is what there is' });
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      return say(response, 405, { error: 'Cannot do that here: /healthz takes GET and HEAD' });
    }
    return say(response, 200, this.#options.health());
  }
}

function say(response: ServerResponse, status: number, body: object): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'Content-Length': Buffer.byteLength(text),
    'Content-Type': 'application/json; charset=utf-8',
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(text);
}

/** Loopback names, address literals, and the names an operator gave; with or without a port. */
export function isKnownHost(host: string | undefined, names: ReadonlySet<string>): boolean {
  const bare = /^(?:\[([^\]]+)\]|([^:]+))(?::\d{1,5})?$/.exec(host ?? '');
  const literal = bare?.[1];
  if (literal !== undefined) return isIP(literal) === 6;
  const name = bare?.[2]?.toLowerCase().replace(/\.$/, '');
  if (name === undefined) return false;
  return isIP(name) === 4 || names.has(name) || name.endsWith('.localhost');
}
