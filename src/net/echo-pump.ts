// Sends back what a connection brings, unchanged: RFC 862. While the other end does not take its bytes, nothing is
// read; at its FIN what is left is sent, then ours.

import type { Socket } from 'node:net';
import { DirectEchoPump, hasDirectHandle } from './direct-echo-pump.ts';

export interface EchoPump {
  /** Echoes no more: what is under way is flushed, then a FIN. The connection ends when the other end closes too. */
  finish(): void;
  /** Cuts the connection. */
  destroy(): void;
}

export interface EchoPumpOptions {
  /** What has already been read; it is echoed first. */
  readonly first: Uint8Array;
  /** Sent before anything is echoed. */
  readonly answer?: Uint8Array | undefined;
  /** Sees the bytes before they go back. They are valid during the call only. */
  readonly onChunk?: ((chunk: Uint8Array) => void) | undefined;
  /** Called once. */
  readonly onClosed: () => void;
}

/** Takes over a paused socket that allows half-open connections. */
export function pumpEcho(socket: Socket, options: EchoPumpOptions): EchoPump {
  return hasDirectHandle(socket) ? new DirectEchoPump(socket, options) : new StreamEchoPump(socket, options);
}

/** The way that works on every stream, TLS included. */
export class StreamEchoPump implements EchoPump {
  readonly #socket: Socket;
  #isFinishing = false;

  constructor(socket: Socket, { first, answer, onChunk, onClosed }: EchoPumpOptions) {
    this.#socket = socket;
    const echo = (chunk: Uint8Array) => {
      if (this.#isFinishing) return;
      onChunk?.(chunk);
      if (!socket.write(chunk)) socket.pause();
    };
    socket.on('error', () => {}); // 'close' follows and says all there is to say
    socket.on('close', onClosed);
    socket.on('drain', () => socket.resume());
    socket.on('end', () => socket.end());
    socket.on('data', echo);
    if (answer !== undefined) socket.write(answer);
    if (first.length > 0) echo(first);
    if (!socket.writableNeedDrain) socket.resume();
  }

  finish(): void {
    this.#isFinishing = true;
    this.#socket.end();
    this.#socket.resume();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
