// The front of the house: every connection is looked at until its first bytes tell which door it wants. Who stays
// silent is greeted as a person would be; a program that speaks late is still understood. What begins with TLS is
// looked at again inside it, by the same rules.

import type { Socket } from 'node:net';
import type { Log } from '../log/log.ts';
import { detect, type Spoken } from '../protocol/detect.ts';
import { ConnectionLimits } from './limits.ts';
import type { Scheme } from './listen.ts';
import { peerOf, type Peer } from './peer.ts';
import { refuseTls } from './refuse-tls.ts';
import type { TlsServer } from './tls-server.ts';

/** Silence after which somebody is taken for a person who waits for a prompt. */
export const GREETING_DELAY_MS = 300;

/** What can be told apart and has a door. */
export type Wanted = Exclude<Spoken, 'tls'> | 'plain-echo';

/** A connection that knows where it goes; the socket is paused. Of a TLS connection it is the inside. */
export interface Arrival {
  readonly socket: Socket;
  readonly peer: Peer;
  /** What has been read of it. */
  readonly first: Uint8Array;
}

export interface FrontOptions {
  /** Told which protocol a connection speaks. `plain-echo` is an `echo://` listener's. */
  readonly accept: (wanted: Wanted, arrival: Arrival) => void;
  /** Asks a silent connection for a name. */
  readonly greet: (socket: Socket) => void;
  readonly tls: Pick<TlsServer, 'secure'>;
  readonly log: Log;
  readonly limits?: ConnectionLimits;
  /** Milliseconds that never run backwards. */
  readonly clock: () => number;
  /** Greeted and still silent so long after, a connection goes to the line door, which has its own patience. */
  readonly silenceMs: number;
}

const NOTHING = new Uint8Array(0);

export class Front {
  readonly #options: FrontOptions;
  readonly #limits: ConnectionLimits;
  readonly #looking = new Set<Socket>();

  constructor(options: FrontOptions) {
    this.#options = options;
    this.#limits = options.limits ?? new ConnectionLimits();
  }

  /** Takes a fresh connection of a listener. */
  receive(socket: Socket, scheme: Scheme): void {
    // The door's own listeners come later; until then a reset must not be an uncaught error.
    socket.on('error', () => {});
    const peer = peerOf(socket);
    if (peer === undefined) {
      socket.destroy();
      return;
    }
    const refusal = this.#limits.enter(peer);
    if (refusal !== undefined) {
      this.#options.log.warn('connection refused', { address: peer.address, reason: refusal });
      socket.end(`error: Cannot accept the connection: ${refusal}\n`, () => socket.destroy());
      return;
    }
    const openedMs = this.#options.clock();
    this.#options.log.info('opened', { address: peer.address, port: peer.port, scheme });
    socket.once('close', () => {
      this.#limits.leave(peer);
      const durationMs = this.#options.clock() - openedMs;
      const { bytesRead, bytesWritten } = socket;
      // An echo takes the connection's handle and leaves nothing to count: no figure is better than a wrong one.
      const bytes = bytesRead + bytesWritten > 0 ? { bytesRead, bytesWritten } : {};
      this.#options.log.info('closed', { address: peer.address, port: peer.port, durationMs, ...bytes });
    });
    switch (scheme) {
      case 'tcp':
        return this.#look(socket, peer);
      case 'tls':
        return this.#secure(socket, NOTHING, (inside) => this.#look(inside, { ...peer, isEncrypted: true }));
      case 'https':
        return this.#secure(socket, NOTHING, (inside) =>
          this.#hand('http', { socket: inside, peer: { ...peer, isEncrypted: true }, first: NOTHING }),
        );
      case 'line':
        this.#options.greet(socket);
        return this.#hand('line', { socket, peer, first: NOTHING });
      case 'http':
        return this.#hand('http', { socket, peer, first: NOTHING });
      case 'echo':
        return this.#hand('plain-echo', { socket, peer, first: NOTHING });
    }
  }

  /** Cuts the connections that have not said yet what they want. */
  close(): void {
    for (const socket of this.#looking) socket.destroy();
  }

  #look(socket: Socket, peer: Peer): void {
    let first: Uint8Array = NOTHING;
    let isGreeted = false;
    const decide = (spoken: Spoken) => {
      clearTimeout(timer);
      this.#looking.delete(socket);
      socket.off('data', onData);
      socket.off('end', onEnd);
      socket.off('close', forget);
      socket.pause();
      // A browser that was slow to speak has been greeted as a person: it gets no second protocol. And whoever greets
      // TLS with words has broken it.
      if ((spoken === 'http' || spoken === 'tls') && isGreeted) socket.destroy();
      else if (spoken !== 'tls') this.#hand(spoken, { socket, peer, first });
      else if (peer.isEncrypted) refuseTls(socket);
      else this.#secure(socket, first, (inside) => this.#look(inside, { ...peer, isEncrypted: true }));
    };
    const onData = (chunk: Buffer) => {
      first = first.length === 0 ? chunk : Buffer.concat([first, chunk]);
      const spoken = detect(first);
      if (spoken !== undefined) decide(spoken);
    };
    const onEnd = () => {
      if (first.length > 0) decide('line');
      else socket.end();
    };
    const forget = () => {
      clearTimeout(timer);
      this.#looking.delete(socket);
    };
    // A timer runs before what has arrived meanwhile is read, so it has one more look first.
    let timer = setTimeout(() => setImmediate(greet), GREETING_DELAY_MS);
    const greet = () => {
      if (!this.#looking.has(socket)) return;
      isGreeted = true;
      this.#options.greet(socket);
      timer = setTimeout(() => decide('line'), this.#options.silenceMs);
    };
    this.#looking.add(socket);
    socket.on('data', onData);
    socket.once('end', onEnd);
    socket.once('close', forget);
  }

  #secure(socket: Socket, first: Uint8Array, then: (inside: Socket) => void): void {
    socket.pause();
    this.#looking.add(socket);
    this.#options.tls.secure(socket, first, (secured) => {
      this.#looking.delete(socket);
      if ('inside' in secured) return then(secured.inside);
      const { remoteAddress: address, remotePort: port } = socket;
      return this.#options.log.info('no TLS', { address, port, reason: secured.failed });
    });
  }

  #hand(wanted: Wanted, arrival: Arrival): void {
    this.#options.accept(wanted, arrival);
  }
}
