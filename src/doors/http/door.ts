// The door for browsers and monitors. So far it tells whether the server is well; everything else is not found.
// `Host` is held against a list: a page that rebinds its own name to this address is not a page of ours.

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { isIP, Socket } from 'node:net';
import type { Peer } from '../../net/peer.ts';
import type { Door } from '../door.ts';
import { HttpConnection } from './connection.ts';

/** Milliseconds that a connection is kept for another request: a page's next one follows at once. */
const KEEP_ALIVE_TIMEOUT_MS = 5_000;
/** Bytes of the headers of a request: Node's own bound, and more than any browser sends. */
const MAX_HEADER_BYTES = 16_384;

const LOOPBACK_NAMES = ['localhost', 'ip6-localhost', 'ip6-loopback'];

export interface Health {
  /** A server that is not well still answers, with 503. */
  readonly isWell: boolean;
  readonly facts: Readonly<Record<string, string | number | boolean>>;
}

export interface HttpDoorOptions {
  /** What `/healthz` tells. */
  readonly health: () => Health;
  /** Names by which an operator lets this server be reached, beside loopback's and addresses. */
  readonly hostNames: readonly string[];
}

export class HttpDoor implements Door {
  readonly #options: HttpDoorOptions;
  readonly #hostNames: ReadonlySet<string>;
  readonly #open = new Map<Socket, HttpConnection>();
  #server: Promise<Server> | undefined;
  #isClosing = false;

  constructor(options: HttpDoorOptions) {
    this.#options = options;
    this.#hostNames = new Set([...LOOPBACK_NAMES, ...options.hostNames.map((name) => name.toLowerCase())]);
  }

  accept(socket: Socket, _peer: Peer, first: Uint8Array): void {
    if (this.#isClosing) return void socket.destroy();
    this.#open.set(socket, new HttpConnection(socket));
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
    this.#isClosing = true;
    const open = [...this.#open.values()];
    const cut = () => {
      for (const connection of open) connection.destroy();
    };
    const closed = Promise.all(open.map((connection) => connection.closed()));
    // Requests are answered at once, so nobody is owed an answer that takes long.
    for (const connection of open) connection.close();
    if (signal.aborted) cut();
    else signal.addEventListener('abort', cut, { once: true });
    await closed;
    signal.removeEventListener('abort', cut);
  }

  /** Loaded with the first request: `node:http` costs start-up time that most servers never need. */
  async #start(): Promise<Server> {
    const { createServer } = await import('node:http');
    const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (request, response) => {
      if (this.#open.get(request.socket)?.begin(request)) this.#answer(request, response);
    });
    server.on('clientError', (_error, socket) => {
      if (socket instanceof Socket) this.#open.get(socket)?.refuse();
    });
    server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS;
    return server;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (!isKnownHost(request.headers.host, this.#hostNames)) {
      return say(response, 421, { error: 'Cannot answer: the Host of the request is not a name of this server' });
    }
    const path = (request.url ?? '').split('?', 1)[0];
    if (path !== '/healthz') return say(response, 404, { error: 'Cannot find that here: /healthz is what there is' });
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      return say(response, 405, { error: 'Cannot do that here: /healthz takes GET and HEAD' });
    }
    const { isWell, facts } = this.#options.health();
    return say(response, isWell ? 200 : 503, facts);
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
