// The server's side of TLS: makes of a connection that begins with a ClientHello one of which the inside can be read.
// A new certificate is for new connections; those that are open go on.

import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Log } from '../log/log.ts';
import { loadIdentity, type IdentityOptions } from './identity.ts';
import { reasonOf } from '../reason.ts';

/** A handshake is two round trips and milliseconds of work; the HTTP door gives headers as long. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;

export interface TlsServerOptions extends IdentityOptions {
  readonly log: Log;
  readonly handshakeTimeoutMs?: number;
}

/** `failed` is why there is no inside; the connection is ended then. */
export type Secured = { readonly inside: TLSSocket } | { readonly failed: string };

export class TlsServer {
  readonly #options: TlsServerOptions;
  readonly #server: Server;
  readonly #timeoutMs: number;
  #fingerprint = '';
  /** Connections whose handshake is under way, by their two ends: a TLS socket does not name the socket it is on. */
  readonly #waiting = new Map<string, (secured: Secured) => void>();

  /** Throws an Error whose message is the whole story. */
  constructor(options: TlsServerOptions) {
    this.#options = options;
    this.#timeoutMs = options.handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS;
    // It never listens: connections are shown to it, as its event `connection` allows.
    this.#server = createServer(this.#load());
    this.#server.on('secureConnection', (inside) => {
      inside.on('error', () => {});
      inside.allowHalfOpen = true;
      // TLS 1.2 lets a client ask for a new handshake at any time, which costs us ten times what it costs it.
      inside.disableRenegotiation();
      const settle = this.#waiting.get(endsOf(inside));
      if (settle === undefined) inside.destroy();
      else settle({ inside });
    });
    this.#server.on('tlsClientError', (error, inside) => {
      this.#waiting.get(endsOf(inside))?.({ failed: 'code' in error ? String(error.code) : error.message });
    });
  }

  /** Of the key that new connections are shown. */
  get fingerprint(): string {
    return this.#fingerprint;
  }

  /** Reads key and certificate again. Bad ones are logged, and those in use stay in use. */
  reload(): void {
    try {
      this.#server.setSecureContext(this.#load());
    } catch (error) {
      const reason = reasonOf(error);
      this.#options.log.warn('certificate not reloaded, the old one stays in use', { reason });
    }
  }

  /** Takes a paused socket and what has been read of it. Tells once what became of it, with the inside paused. */
  secure(socket: Socket, first: Uint8Array, done: (secured: Secured) => void): void {
    const ends = endsOf(socket);
    let isSettled = false;
    const settle = (secured: Secured) => {
      if (isSettled) return;
      isSettled = true;
      // Its ends may be another's by now: a port is free at once after a reset.
      if (this.#waiting.get(ends) === settle) this.#waiting.delete(ends);
      clearTimeout(timer);
      done(secured);
    };
    // Not Node's own bound, which starts again with whatever comes: this one holds for the whole handshake.
    const timer = setTimeout(() => {
      settle({ failed: `no TLS handshake within ${this.#timeoutMs} ms` });
      socket.destroy();
    }, this.#timeoutMs);
    this.#waiting.set(ends, settle);
    socket.once('close', () => settle({ failed: 'the connection was closed during the TLS handshake' }));
    if (first.length > 0) socket.unshift(first);
    // An end in the middle of a handshake is the end; inside, it is one direction's.
    socket.allowHalfOpen = false;
    this.#server.emit('connection', socket);
  }

  #load() {
    const { cert, key, fingerprint, validUntil } = loadIdentity(this.#options);
    const { log, now } = this.#options;
    log.info('certificate', { key: fingerprint, validUntil: new Date(validUntil).toISOString() });
    if (validUntil < now()) log.warn('certificate has expired', { at: new Date(validUntil).toISOString() });
    this.#fingerprint = fingerprint;
    return { cert, key };
  }
}

function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return [remoteAddress, remotePort, localAddress, localPort].join(' ');
}
