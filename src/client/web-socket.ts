// What carries the library in a browser, and on Node where a WebSocket is asked for: each message is one frame, and there
// is no preface.

import { CLOSING, NativeConnection, type NativeEvent } from '../protocol/native/connection.ts';
import { formatFrame, parseFrame } from '../protocol/native/frame.ts';
import { METHODS } from '../protocol/native/methods.ts';
import { field, isRecord } from '../protocol/native/rpc.ts';
import { UnreachableError } from './errors.ts';
import { shown } from './shown.ts';
import { SILENT, Vigil, type After } from './vigil.ts';
import type { Answer, Opened, Wire } from './wire.ts';

/** What is used of the platform's `WebSocket`; a test brings its own. */
export interface Socket {
  binaryType: string;
  send(message: Uint8Array<ArrayBuffer>): void;
  close(): void;
  addEventListener(type: 'open' | 'close' | 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
}

export interface WebSocketOptions {
  /** `ws://…` or `wss://…`. */
  readonly url: string;
  readonly makeSocket?: ((url: string) => Socket) | undefined;
  /** Time, for tests. */
  readonly after?: After | undefined;
}

/** As the server knows it. */
const SUBPROTOCOL = 'partyline.v1';
/** RFC 6761 section 6.3: no resolver gives another machine's address for it. */
const LOOPBACK_HOST = /^(?:localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** Throws an `UnreachableError` or the signal's reason. */
export async function openWebSocket(options: WebSocketOptions, signal: AbortSignal): Promise<Opened> {
  const { url, makeSocket = (at) => new WebSocket(at, SUBPROTOCOL) } = options;
  signal.throwIfAborted();
  const { protocol, hostname } = new URL(url);
  const isLoopback = LOOPBACK_HOST.test(hostname);
  const socket = makeSocket(url);
  socket.binaryType = 'arraybuffer';
  const wire = new WebSocketWire(socket, options.after);
  const onAbort = () => wire.destroy();
  signal.addEventListener('abort', onAbort);
  const lost = await Promise.race([wire.opened, wire.gone]);
  signal.removeEventListener('abort', onAbort);
  signal.throwIfAborted();
  if (lost !== undefined) throw new UnreachableError(`Cannot connect to ${url}: ${lost}`);
  const isPrivate = isLoopback || protocol === 'wss:';
  return { wire, isLoopback, isPrivate, fingerprint: undefined, proveOwner: undefined };
}

class WebSocketWire implements Wire {
  readonly serverName = '';
  readonly opened: Promise<undefined>;
  readonly gone: Promise<string>;
  readonly #socket: Socket;
  readonly #connection = new NativeConnection('client');
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  readonly #notified = new Map<string, (params: unknown) => void>();
  readonly #vigil: Vigil;
  #isOpen = false;
  #tellGone: (reason: string) => void = () => {};
  #lost: string | undefined;
  #statedReason: string | undefined;

  constructor(socket: Socket, after: After | undefined) {
    this.#socket = socket;
    this.#vigil = new Vigil({ ask: () => this.#ping(), onSilent: () => this.#lose(SILENT), after });
    this.gone = new Promise((resolve) => (this.#tellGone = resolve));
    this.opened = new Promise((resolve) => {
      socket.addEventListener('open', () => {
        this.#isOpen = true;
        this.#keepVigil();
        resolve(undefined);
      });
    });
    socket.addEventListener('close', () => this.#lose('the connection was closed'));
    // What it was about no browser says; `close` follows.
    socket.addEventListener('error', () => this.#lose('the connection failed'));
    socket.addEventListener('message', ({ data }) => this.#receive(data));
    this.#keepVigil();
  }

  request(method: string, params: object): Promise<Answer> {
    if (this.#lost !== undefined) return Promise.resolve({ lost: this.#lost });
    const id = this.#connection.request(method, params);
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
    this.#keepVigil();
    this.#flush();
    return answered;
  }

  notify(method: string, params: object): void {
    if (this.#lost !== undefined) return;
    this.#connection.notify(method, params);
    this.#flush();
  }

  onNotification(method: string, listener: (params: unknown) => void): void {
    this.#notified.set(method, listener);
  }

  close(): void {
    this.#socket.close();
  }

  destroy(): void {
    this.#lose('interrupted');
  }

  #receive(data: unknown): void {
    this.#vigil.heard();
    if (!(data instanceof ArrayBuffer)) return this.#lose('the server sent what is no frame');
    this.#connection.receive(parseFrame(new Uint8Array(data)));
    for (const event of this.#connection.takeEvents()) this.#handle(event);
    this.#flush();
    return undefined;
  }

  #handle(event: NativeEvent): void {
    switch (event.type) {
      case 'answer':
        return this.#settle(event.id, { result: event.result });
      case 'refusal':
        return this.#settle(event.id, { error: event.error });
      case 'notification':
        if (event.method === CLOSING) this.#statedReason = reasonIn(event.params);
        else this.#notified.get(event.method)?.(event.params);
        return undefined;
      case 'request':
        return this.#connection.refuse(event.id, {
          code: -32601,
          message: 'A client of this kind answers no requests',
        });
      case 'failed':
        return this.#lose(event.reason);
      case 'data':
      case 'end':
      case 'drain':
      case 'reset':
      case 'finished':
    }
  }

  /** The answer to a ping is nobody's: that it came was all. */
  #settle(id: number, answer: Answer): void {
    this.#waiting.get(id)?.(answer);
    this.#waiting.delete(id);
    this.#keepVigil();
  }

  /** The opening is awaited as an answer is. */
  #keepVigil(): void {
    this.#vigil.watch(this.#lost === undefined && (!this.#isOpen || this.#waiting.size > 0));
  }

  #ping(): void {
    if (!this.#isOpen) return;
    this.#connection.request(METHODS.ping, {});
    this.#flush();
  }

  #flush(): void {
    for (const frame of this.#connection.takeOutput()) {
      const pieces = formatFrame(frame);
      const message = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
      let at = 0;
      for (const piece of pieces) {
        message.set(piece, at);
        at += piece.length;
      }
      this.#socket.send(message);
    }
  }

  #lose(reason: string): void {
    if (this.#lost !== undefined) return;
    this.#lost = shown(this.#statedReason ?? reason);
    this.#keepVigil();
    this.#socket.close();
    for (const settle of this.#waiting.values()) settle({ lost: this.#lost });
    this.#waiting.clear();
    this.#tellGone(this.#lost);
  }
}

function reasonIn(params: unknown): string | undefined {
  const reason = isRecord(params) ? field(params, 'reason') : undefined;
  return typeof reason === 'string' ? reason : undefined;
}
