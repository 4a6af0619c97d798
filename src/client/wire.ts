// A connection to a server as the library needs one: questions and answers, whatever carries them. What carries it knows
// the platform; what stands above it runs in a browser as it is.

import type { LinkEvent } from '../protocol/native/link.ts';
import type { RpcError } from '../protocol/native/rpc.ts';

/**
 * `lost`: the connection went before an answer came; the text says why, fit to be shown. `isRuleBroken`: by what one end
 * sent, and the same would end the next connection.
 */
export type Answer =
  | { readonly result: unknown }
  | { readonly error: RpcError }
  | { readonly lost: string; readonly isRuleBroken?: boolean };

/** What comes on a stream that was opened here. */
export type StreamEvent = Extract<LinkEvent, { stream: number }>;

export interface Wire {
  /** What the server calls itself, fit to be shown; empty where the transport does not say. */
  readonly serverName: string;
  /** Settles with the reason once the connection is gone, however that came. */
  readonly gone: Promise<string>;
  request(method: string, params: object): Promise<Answer>;
  /** Throws a `TypeError` if JSON cannot say it, or it is too long; nothing of it was sent, and the wire goes on. */
  notify(method: string, params: object): void;
  /** One listener for each method. */
  onNotification(method: string, listener: (params: unknown) => void): void;
  /** Opens a stream; its events go to the listener. The request that names it is to follow at once. */
  openStream(direction: 'in' | 'out', listener: (event: StreamEvent) => void): number;
  /** False: wait for the stream's `drain`, or for `onDrain` if the connection is what is behind. */
  write(stream: number, bytes: Uint8Array): boolean;
  canWrite(stream: number): boolean;
  end(stream: number): void;
  /** So many bytes that came on the stream are out of the way: as many more may come. */
  consume(stream: number, count: number): void;
  /** Nothing more is wanted from this stream. */
  reset(stream: number): void;
  /** It is over, or was never opened at the other end: nothing is kept of it here. */
  forget(stream: number): void;
  /** The connection takes bytes again. One listener. */
  onDrain(listener: () => void): void;
  /** Sends what is waiting and closes. */
  close(): void;
  destroy(): void;
}

/** What a credential may be chosen by. */
export interface Surroundings {
  /** The other end is on this machine. */
  readonly isLoopback: boolean;
  /** Nobody on the way can read what is said: this machine, or TLS. */
  readonly isPrivate: boolean;
  /** Of the server's public key, where it is TLS and the platform shows it. */
  readonly fingerprint: string | undefined;
}

/** A wire on which nothing was asked yet. */
export interface Opened extends Surroundings {
  readonly wire: Wire;
  /** Whether a native server is there at all; an error, where there is none. What is asked meanwhile leaves at once. */
  readonly greeting: Promise<Error | undefined>;
  /** A secret need not wait for the greeting: the key was known before, or what carries the wire has greeted. */
  readonly mayLogInAtOnce: boolean;
  /** Shows the server that its owner is there; undefined where the platform has no files to prove it by. */
  readonly proveOwner: ((tokenFile: string) => Promise<Proving>) | undefined;
}

/** The proof has left, or there will be none. */
export interface Proving {
  readonly proven: Promise<Answer>;
}

/** Opens a wire, or throws an `UnreachableError` or the signal's reason. */
export type Transport = (signal: AbortSignal) => Promise<Opened>;
