// A WebSocket that carries native frames, one binary message each, made to look like the socket that a pump knows.

// oxlint-disable-next-line typescript/triple-slash-reference -- an ambient module has no path to import
/// <reference path="../../../types/ws.d.ts" />
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Peer } from '../../net/peer.ts';
import { HEADER_BYTES } from '../../protocol/native/frame.ts';
import { MAX_CONTROL_BYTES } from '../../protocol/native/limits.ts';
import type { Carrier } from '../../protocol/native/pump.ts';

/** RFC 6455 1.9: the version is chosen with the handshake. */
export const SUBPROTOCOL = 'partyline.v1';

/** A request for a WebSocket that the HTTP door has found nothing against. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  readonly head: Buffer;
  readonly peer: Peer;
}

/** RFC 6455 7.4.1. */
const NORMAL_CLOSURE = 1_000;
const UNSUPPORTED_DATA = 1_003;
const REFUSED =
  'HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n' +
  `Sec-WebSocket-Protocol: ${SUBPROTOCOL}\r\n\r\n`;

const server = new WebSocketServer({
  noServer: true,
  clientTracking: false,
  // Compressing what a stranger chose beside secrets tells about them (CRIME), and memory for it is not bounded here.
  perMessageDeflate: false,
  maxPayload: MAX_CONTROL_BYTES + HEADER_BYTES,
  handleProtocols: (protocols) => (protocols.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
});

/** Undefined: it was refused, or has gone. */
export function acceptWebSocket({ request, socket, head }: Upgrade): Promise<WebSocketCarrier | undefined> {
  return new Promise((resolve) => {
    const offered = request.headers['sec-websocket-protocol'] ?? '';
    if (!offered.split(',').some((protocol) => protocol.trim() === SUBPROTOCOL)) {
      socket.end(REFUSED, () => socket.destroy());
      return resolve(undefined);
    }
    if (socket.destroyed) return resolve(undefined);
    socket.once('close', () => resolve(undefined));
    return server.handleUpgrade(request, socket, head, (webSocket) => {
      resolve(new WebSocketCarrier(webSocket, socket));
    });
  });
}

export class WebSocketCarrier implements Carrier {
  readonly #webSocket: WebSocket;
  readonly #socket: Socket;

  constructor(webSocket: WebSocket, socket: Socket) {
    this.#webSocket = webSocket;
    this.#socket = socket;
    // Nothing comes before somebody listens.
    webSocket.pause();
    webSocket.on('error', () => {});
  }

  // Without compression what is sent is in the socket's queue at once.
  get writableLength(): number {
    return this.#socket.writableLength;
  }

  get writableNeedDrain(): boolean {
    return this.#socket.writableNeedDrain;
  }

  write(bytes: Uint8Array, done?: (error?: Error | null) => void): boolean {
    this.#webSocket.send(bytes, { binary: true }, done);
    return !this.#socket.writableNeedDrain;
  }

  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
  }

  end(): void {
    this.#webSocket.close(NORMAL_CLOSURE);
  }

  destroySoon(): void {
    this.#webSocket.close(NORMAL_CLOSURE);
  }

  destroy(): void {
    this.#webSocket.terminate();
  }

  pause(): void {
    this.#webSocket.pause();
  }

  resume(): void {
    this.#webSocket.resume();
  }

  on(event: 'data', listener: (chunk: Uint8Array) => void): void;
  on(event: 'end' | 'drain' | 'close', listener: () => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
  on(
    ...[event, listener]:
      | ['data', (chunk: Uint8Array) => void]
      | ['end' | 'drain' | 'close', () => void]
      | ['error', (error: Error) => void]
  ): void {
    switch (event) {
      case 'data':
        this.#webSocket.on('message', (data, isBinary) => {
          if (isBinary) listener(data);
          else this.#webSocket.close(UNSUPPORTED_DATA, 'one binary message is one frame');
        });
        return;
      case 'drain':
        this.#socket.on('drain', listener);
        return;
      case 'close':
        this.#webSocket.on('close', listener);
        return;
      case 'error':
        this.#webSocket.on('error', listener);
        return;
      case 'end':
      // A WebSocket has no half-close.
    }
  }
}
