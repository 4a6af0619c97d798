// The door for browsers and monitors. So far it tells whether the server is well, and an invited one what to do with the
// code; everything else is not found.
// `Host` is held against a list: a page that rebinds its own name to this address is not a page of ours.

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Peer } from '../../net/peer.ts';
import type { Door } from '../door.ts';
import { HttpConnection } from './connection.ts';
import { isKnownHost, LOOPBACK_NAMES } from './host.ts';
import { invitationPage, PAGE_HEADERS } from './page.ts';
import { refusalOfUpgrade } from './upgrade.ts';

/** Milliseconds that a connection is kept for another request: a page's next one follows at once. */
const KEEP_ALIVE_TIMEOUT_MS = 5_000;
/** Bytes of the headers of a request: Node's own bound, and more than any browser sends. */
const MAX_HEADER_BYTES = 16_384;

export interface Health {
  /** A server that is not well still answers, with 503. */
  readonly isWell: boolean;
  readonly facts: Readonly<Record<string, string | number | boolean>>;
}

export interface HttpDoorOptions {
  /** What the page is headed by. */
  readonly serverName: string;
  /** What `/healthz` tells. */
  readonly health: () => Health;
  /** Names by which an operator lets this server be reached, beside loopback's and addresses. */
  readonly hostNames: readonly string[];
  /** Takes over a connection that asks for a WebSocket on `/native` and comes from nobody's page but ours. */
  readonly onUpgrade?: (upgrade: Upgrade) => void;
}

export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  /** What has been read behind the request. */
  readonly head: Buffer;
  readonly peer: Peer;
}

interface Open {
  readonly connection: HttpConnection;
  readonly peer: Peer;
}

export class HttpDoor implements Door {
  readonly #options: HttpDoorOptions;
  readonly #hostNames: ReadonlySet<string>;
  readonly #open = new Map<Socket, Open>();
  #server: Promise<Server> | undefined;
  #isClosing = false;

  constructor(options: HttpDoorOptions) {
    this.#options = options;
    this.#hostNames = new Set([...LOOPBACK_NAMES, ...options.hostNames.map((name) => name.toLowerCase())]);
  }

  accept(socket: Socket, peer: Peer, first: Uint8Array): void {
    if (this.#isClosing) return void socket.destroy();
    this.#open.set(socket, { connection: new HttpConnection(socket), peer });
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
    const open = Array.from(this.#open.values(), ({ connection }) => connection);
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
    // Who asks for another upgrade than this is answered in HTTP/1.1 (RFC 9110 7.8).
    const shouldUpgradeCallback = ({ headers }: IncomingMessage) =>
      this.#options.onUpgrade !== undefined && headers.upgrade?.toLowerCase() === 'websocket';
    const options = { maxHeaderSize: MAX_HEADER_BYTES, shouldUpgradeCallback };
    const server = createServer(options, (request, response) => {
      if (this.#open.get(request.socket)?.connection.begin(request)) this.#answer(request, response);
    });
    server.on('upgrade', (request, socket, head) => {
      if (socket instanceof Socket) this.#upgrade({ request, socket, head });
    });
    server.on('clientError', (_error, socket) => {
      if (socket instanceof Socket) this.#open.get(socket)?.connection.refuse();
    });
    server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS;
    return server;
  }

  #upgrade({ request, socket, head }: Omit<Upgrade, 'peer'>): void {
    const open = this.#open.get(socket);
    if (open === undefined) return;
    const refused = refusalOfUpgrade(request, this.#hostNames);
    if (refused !== undefined) return open.connection.close(refused);
    this.#open.delete(socket);
    open.connection.release();
    return this.#options.onUpgrade?.({ request, socket, head, peer: open.peer });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (!isKnownHost(request.headers.host, this.#hostNames)) {
      return say(response, 421, { error: 'Cannot answer: the Host of the request is not a name of this server' });
    }
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    if (path !== '/' && path !== '/healthz') {
      return say(response, 404, { error: 'Cannot find that here: / and /healthz are what there is' });
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      return say(response, 405, { error: `Cannot do that here: ${path} takes GET and HEAD` });
    }
    if (path === '/healthz') {
      const { isWell, facts } = this.#options.health();
      return say(response, isWell ? 200 : 503, facts);
    }
    const { isEncrypted = false, isLoopback = false } = this.#open.get(request.socket)?.peer ?? {};
    const { serverName } = this.#options;
    const page = invitationPage({ host: request.headers.host ?? '', isEncrypted, isLoopback, serverName });
    return send(response, 200, { text: page, headers: PAGE_HEADERS });
  }
}

function say(response: ServerResponse, status: number, body: object): void {
  const headers = { 'Content-Type': 'application/json; charset=utf-8' };
  send(response, status, { text: `${JSON.stringify(body)}\n`, headers });
}

interface Body {
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

function send(response: ServerResponse, status: number, { text, headers }: Body): void {
  response.writeHead(status, {
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...headers,
  });
  response.end(text);
}
