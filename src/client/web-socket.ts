// What carries the library in a browser, and on Node where a WebSocket is asked for: each message is one frame, and there
// is no preface.

import { MAX_DATA_BYTES } from '../protocol/native/limits.ts';
import type { Carrier } from '../protocol/native/pump.ts';
import { UnreachableError } from './errors.ts';
import { NativeClient } from './native.ts';
import { SILENT, Vigil, type After } from './vigil.ts';
import type { Opened } from './wire.ts';
import { REAL_WORLD } from './world.ts';

/** What is used of the platform's `WebSocket`; a test brings its own. */
export interface Socket {
  binaryType: string;
  /** Bytes that were given to it and are not sent yet. */
  readonly bufferedAmount: number;
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
const FAILED = 'the connection failed';
/** RFC 6761 section 6.3: no resolver gives another machine's address for it. */
const LOOPBACK_HOST = /^(?:localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;
/** Milliseconds between two looks at a socket that is behind: no event tells that it has caught up. */
const LOOK_MS = 10;
/** Bytes that were given to a socket and are not sent, from which on it is behind: a frame, so that one never is. */
const BEHIND_BYTES = MAX_DATA_BYTES;

/** Throws an `UnreachableError` or the signal's reason. */
export async function openWebSocket(options: WebSocketOptions, signal: AbortSignal): Promise<Opened> {
  const { url, makeSocket = (at) => new WebSocket(at, SUBPROTOCOL), after } = options;
  signal.throwIfAborted();
  const { protocol, hostname } = new URL(url);
  const isLoopback = LOOPBACK_HOST.test(hostname);
  const socket = makeSocket(url);
  socket.binaryType = 'arraybuffer';
  const failed = await opening(socket, { signal, after });
  if (failed !== undefined) socket.close();
  signal.throwIfAborted();
  if (failed !== undefined) throw new UnreachableError(`Cannot connect to ${url}: ${failed}`);
  const wire = new NativeClient(new WebSocketCarrier(socket, after), {
    framing: 'messages',
    why: ({ message }) => message,
    after,
  });
  const isPrivate = isLoopback || protocol === 'wss:';
  // Its handshake was a greeting.
  const greeting = Promise.resolve(undefined);
  return { wire, greeting, isLoopback, isPrivate, mayLogInAtOnce: true, fingerprint: undefined, proveOwner: undefined };
}

/** Undefined: it is open. */
async function opening(
  socket: Socket,
  { signal, after }: { signal: AbortSignal; after: After | undefined },
): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const vigil = new Vigil({ ask: () => {}, onSilent: () => resolve(SILENT), after });
  const onAbort = () => resolve('interrupted');
  vigil.watch(true);
  signal.addEventListener('abort', onAbort);
  socket.addEventListener('open', () => resolve(undefined));
  // What it was about no browser says.
  socket.addEventListener('error', () => resolve(FAILED));
  socket.addEventListener('close', () => resolve('the connection was closed'));
  const failed = await promise;
  vigil.watch(false);
  signal.removeEventListener('abort', onAbort);
  return failed;
}

interface Listeners {
  readonly data: ((chunk: Uint8Array) => void)[];
  readonly end: (() => void)[];
  readonly drain: (() => void)[];
  readonly close: (() => void)[];
  readonly error: ((error: Error) => void)[];
}

/** A WebSocket as the pump knows what carries it. */
class WebSocketCarrier implements Carrier {
  readonly #socket: Socket;
  readonly #after: After;
  readonly #listeners: Listeners = { data: [], end: [], drain: [], close: [], error: [] };
  #isLooking = false;
  #isOver = false;

  constructor(socket: Socket, after: After = (ms, then) => REAL_WORLD.after(ms, then)) {
    this.#socket = socket;
    this.#after = after;
    socket.addEventListener('message', ({ data }) => this.#receive(data));
    socket.addEventListener('error', () => this.#fail(FAILED));
    socket.addEventListener('close', () => this.#end());
  }

  get writableLength(): number {
    return this.#socket.bufferedAmount;
  }

  get writableNeedDrain(): boolean {
    return this.#isLooking;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#isOver) return true;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- no frame is in memory that is shared with a worker
    this.#socket.send(bytes as Uint8Array<ArrayBuffer>);
    if (this.#isBehind) this.#look();
    return !this.#isLooking;
  }

  on<Type extends keyof Listeners>(type: Type, listener: Listeners[Type][number]): void {
    const listeners: Listeners[Type][number][] = this.#listeners[type];
    listeners.push(listener);
  }

  // What is written goes out as it is, and what comes cannot be held up: the streams' windows bound it.

  cork(): void {}

  uncork(): void {}

  pause(): void {}

  resume(): void {}

  /** What was sent still leaves. */
  end(): void {
    this.#socket.close();
  }

  destroySoon(): void {
    this.#socket.close();
  }

  destroy(): void {
    this.#socket.close();
    this.#end();
  }

  get #isBehind(): boolean {
    return this.#socket.bufferedAmount > BEHIND_BYTES;
  }

  #receive(data: unknown): void {
    if (this.#isOver) return;
    if (!(data instanceof ArrayBuffer)) return this.#fail('the server sent what is no frame');
    const message = new Uint8Array(data);
    for (const hear of this.#listeners.data) hear(message);
  }

  #fail(reason: string): void {
    for (const hear of this.#listeners.error) hear(new Error(reason));
    this.destroy();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const hear of this.#listeners.close) hear();
  }

  #look(): void {
    if (this.#isLooking || this.#isOver) return;
    this.#isLooking = true;
    this.#after(LOOK_MS, () => {
      this.#isLooking = false;
      if (this.#isOver) return;
      if (this.#isBehind) return this.#look();
      for (const hear of this.#listeners.drain) hear();
    });
  }
}
