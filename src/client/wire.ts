// A connection to a server as the library needs one: questions and answers, whatever carries them. What carries it knows
// the platform; what stands above it runs in a browser as it is.

import type { RpcError } from '../protocol/native/rpc.ts';

/** `lost`: the connection went before an answer came; the text says why, fit to be shown. */
export type Answer = { readonly result: unknown } | { readonly error: RpcError } | { readonly lost: string };

export interface Wire {
  /** What the server calls itself, fit to be shown; empty where the transport does not say. */
  readonly serverName: string;
  /** Settles with the reason once the connection is gone, however that came. */
  readonly gone: Promise<string>;
  request(method: string, params: object): Promise<Answer>;
  notify(method: string, params: object): void;
  /** One listener for each method. */
  onNotification(method: string, listener: (params: unknown) => void): void;
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

/** A wire on which nothing was said yet. */
export interface Opened extends Surroundings {
  readonly wire: Wire;
  /** Shows the server that its owner is there; undefined where the platform has no files to prove it by. */
  readonly proveOwner: ((tokenFile: string) => Promise<Answer>) | undefined;
}

/** Opens a wire, or throws an `UnreachableError` or the signal's reason. */
export type Transport = (signal: AbortSignal) => Promise<Opened>;
