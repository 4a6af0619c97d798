// Joins a native link to whatever carries its bytes. It knows the carrier only by the few things it does with one, so
// that a TCP socket, a TLS socket and a pair in a test all fit.

import type { LinkEvent, NativeLink } from './link.ts';

/** What the pump needs of a `net.Socket`, or of anything like it. */
export interface Carrier {
  readonly writableLength: number;
  readonly writableNeedDrain: boolean;
  /** `done` is called when they are out, without an error. */
  write(bytes: Uint8Array, done?: (error?: Error | null) => void): boolean;
  cork(): void;
  uncork(): void;
  /** Sends what is waiting and closes this direction. */
  end(): unknown;
  /** Sends what is waiting and closes altogether. */
  destroySoon(): void;
  pause(): unknown;
  resume(): unknown;
  on(event: 'data', listener: (chunk: Uint8Array) => void): unknown;
  on(event: 'end' | 'drain' | 'close', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/**
 * Bytes under way to the carrier from which on more would only wait. Several of what is read of a pipe at once, so that the
 * next ones are read while these are encrypted and sent, and go in one piece then.
 */
const MAX_UNDER_WAY_BYTES = 4 * 65_536;

/** Answers that the other end does not fetch, in bytes, before it is no longer read: it asks and does not listen. */
const MAX_BACKLOG_BYTES = 4 * 1_048_576;

/**
 * Bytes of a full TLS record (RFC 8446, 5.1). Several that lie one behind the other in memory, as Node puts them and we do, are
 * read as one piece: a shorter one is the last of what was sent, and nobody waits for more.
 */
const FULL_RECORD_BYTES = 16_384;

/** Bytes of full records that are read together: as many as Node puts behind one another. */
const MAX_GATHERED_BYTES = 65_536;

/** Where what comes lies, if that is used again. */
export interface Memory {
  /** The bytes stay as they are until the function that is returned is called, which is not certain. Undefined: they stay anyway. */
  hold(bytes: Uint8Array): (() => void) | undefined;
  /** They have been looked at, and apart from what is held nobody needs them. */
  read(bytes: Uint8Array): void;
}

export interface Listener {
  onEvent(event: LinkEvent): void;
  /** The carrier takes bytes again after `isBacklogged`. */
  onDrain(): void;
  /** The carrier is gone, with the error that ended it if one did. Called once. */
  onClosed(error: Error | undefined): void;
  /** So many bytes have come. */
  onRead?(bytes: number): void;
  /** Calls back when what has come by now has been told. Without it nothing is gathered. */
  readonly soon?: ((then: () => void) => void) | undefined;
  readonly memory?: Memory | undefined;
}

export class Pump {
  readonly #carrier: Carrier;
  readonly #link: NativeLink;
  readonly #listener: Listener;
  #isSettling = false;
  #isClosing = false;
  #isClosed = false;
  /** Reasons why nothing more is read for now. */
  #holds = 0;
  #error: Error | undefined;
  /** What has come and is not told yet. */
  #gathered: Uint8Array | undefined;
  #isDue = false;

  constructor(carrier: Carrier, link: NativeLink, listener: Listener) {
    this.#carrier = carrier;
    this.#link = link;
    this.#listener = listener;
    carrier.on('data', (chunk) => {
      listener.onRead?.(chunk.length);
      this.#gather(chunk);
    });
    carrier.on('drain', () => {
      listener.onDrain();
      this.#goOn();
    });
    carrier.on('end', () => {
      this.#receive();
      link.receiveEnd();
      this.settle();
    });
    carrier.on('error', (error) => (this.#error = error));
    carrier.on('close', () => {
      // Without an end, as after a reset: what had come before it still counts.
      this.#receive();
      listener.onClosed(this.#error);
    });
  }

  #gather(chunk: Uint8Array): void {
    const before = this.#gathered;
    if (before !== undefined && before.buffer === chunk.buffer && endOf(before) === chunk.byteOffset) {
      this.#gathered = new Uint8Array(before.buffer, before.byteOffset, before.length + chunk.length);
    } else {
      this.#receive();
      this.#gathered = chunk;
    }
    if (chunk.length < FULL_RECORD_BYTES || this.#gathered.length >= MAX_GATHERED_BYTES) return this.#receive();
    if (this.#listener.soon === undefined) return this.#receive();
    if (this.#isDue) return undefined;
    this.#isDue = true;
    return this.#listener.soon(() => {
      this.#isDue = false;
      this.#receive();
    });
  }

  #receive(): void {
    const gathered = this.#gathered;
    if (gathered === undefined) return;
    this.#gathered = undefined;
    this.#link.receive(gathered);
    this.settle();
    if (this.#link.isDry) this.#listener.memory?.read(gathered);
    if (!this.#mayGoOn()) this.#carrier.pause();
  }

  /** Begins to read; `first` is what had been read before. */
  start(first?: Uint8Array): void {
    if (first !== undefined) this.#link.receive(first);
    this.#goOn();
  }

  /** More bytes would only pile up here. */
  get isBacklogged(): boolean {
    return this.#carrier.writableNeedDrain && this.#carrier.writableLength >= MAX_UNDER_WAY_BYTES;
  }

  /** So many bytes wait to be fetched. */
  get waitingBytes(): number {
    return this.#carrier.writableLength;
  }

  /** Nothing more is read until the function that is returned is called: once. */
  hold(): () => void {
    this.#holds++;
    this.#carrier.pause();
    return () => {
      this.#holds--;
      this.#goOn();
    };
  }

  #mayGoOn(): boolean {
    return this.#holds === 0 && this.#carrier.writableLength <= MAX_BACKLOG_BYTES;
  }

  #goOn(): void {
    this.settle();
    if (this.#mayGoOn()) this.#carrier.resume();
  }

  /** Hands over what has happened and writes what is to be sent. To be called after every call into the connection. */
  settle(): void {
    if (this.#isSettling) return;
    this.#isSettling = true;
    this.#carrier.cork();
    for (const event of this.#link.takeEvents(() => this.#mayGoOn())) {
      this.#flush();
      this.#listener.onEvent(this.#held(event));
    }
    this.#flush();
    this.#carrier.uncork();
    this.#isSettling = false;
    if (!this.#isClosing || this.#isClosed) return;
    this.#isClosed = true;
    this.#carrier.destroySoon();
  }

  #held(event: LinkEvent): LinkEvent {
    const { memory } = this.#listener;
    return event.type === 'data' && memory !== undefined ? { ...event, release: memory.hold(event.bytes) } : event;
  }

  /** Sends what is waiting, then closes. */
  close(): void {
    this.#isClosing = true;
    this.settle();
  }

  #flush(): void {
    const output = this.#link.takeOutput();
    const done = this.#link.takeDone();
    const last = output.pop();
    if (last === undefined) return;
    for (const bytes of output) this.#carrier.write(bytes);
    if (done.length === 0) this.#carrier.write(last);
    else {
      this.#carrier.write(last, (error) => {
        if (!error) for (const tell of done) tell();
      });
    }
  }
}

function endOf({ byteOffset, length }: Uint8Array): number {
  return byteOffset + length;
}
