// The library: the only file of this room that others outside the project import. It runs as it is in Node and, over a
// WebSocket, in browsers; docs/guide/library.md shows what it is for.

import type { Reconnect } from './backoff.ts';
import { Client } from './client.ts';
import type { CredentialChoice } from './credential.ts';
import type { ConnectionState } from './link.ts';
import { mustKnow } from './options.ts';
import type { Trust } from './trust.ts';
import { openWebSocket, type Socket } from './web-socket.ts';
import type { Transport } from './wire.ts';
import { REAL_WORLD, type World } from './world.ts';

export { BrokenPipeError, ClosedError, RefusedError, UnreachableError } from './errors.ts';
export type { Reconnect } from './backoff.ts';
export type {
  Accounts,
  Detached,
  Found,
  Group,
  Host,
  Invitation,
  Listening,
  Present,
  Request,
  Resolved,
  RunDetails,
  RunRecord,
  Sent,
  Token,
  Waiting,
} from './answers.ts';
export type { AskedApproval } from './approval.ts';
export type { Client } from './client.ts';
export type { CommandRun, RunOptions } from './command-run.ts';
export type { CameInBy, Credential, CredentialChoice, Identity } from './credential.ts';
export type { HistoryWishes } from './history.ts';
export type { Message, Reading, Receipt } from './inbox.ts';
export type { Input, InputSource } from './input.ts';
export type { ConnectionState } from './link.ts';
export type { HostResult, ManyOptions } from './many.ts';
export type { RunResult } from './outcome.ts';
export type { Output } from './output.ts';
export type { Texts } from './texts.ts';
export { trustKey, type Met, type Trust } from './trust.ts';
export type { AttachOptions, Piece, Watch } from './watch.ts';
export type { DetachOptions, Inviting, What, Where } from './wishes.ts';
export type { Surroundings } from './wire.ts';

export interface ConnectOptions {
  /**
   * `[SCHEME://]HOST[:PORT]`, on Node: plain text towards this machine, TLS elsewhere. Or `ws://…`, `wss://…`, which is
   * what a browser has.
   */
  readonly host: string;
  /** Who comes in; without it nobody, which is enough to ask a server what it is. */
  readonly credential?: CredentialChoice;
  /** After a connection is lost; `false`: that is the end. Without it there is no end to trying. */
  readonly reconnect?: Reconnect | false;
  /** Which servers' keys are known; without it a server is trusted only over loopback, or `wss://`. */
  readonly trust?: Trust;
  readonly onConnection?: (state: ConnectionState) => void;
  /** Ends connecting; for later there is `close`. */
  readonly signal?: AbortSignal;
  /** Time and chance, for tests. */
  readonly world?: World;
  /** In the place of the platform's `WebSocket`. */
  readonly makeSocket?: (url: string) => Socket;
}

/** Where a WebSocket finds the native protocol, unless the URL says more. */
const SOCKET_PATH = '/native';

/** Nobody remembers keys for a program that does not say where: what is not known cannot be trusted. */
const NO_TRUST: Trust = {
  meet: () => ({ refused: 'its key is not known: give connect() a trust that knows it' }),
  tell: () => {},
};

/**
 * Connects and comes in. Throws an `UnreachableError` if there is no server, a `RefusedError` if it says no, or the
 * signal's reason.
 */
export function connect(options: ConnectOptions): Promise<Client> {
  mustKnow('connect', options);
  const { credential = 'none', reconnect = {}, onConnection, signal, world = REAL_WORLD } = options;
  return Client.open({ transport: transportFor(options), credential, reconnect, onConnection, world }, signal);
}

function transportFor({ host, trust = NO_TRUST, makeSocket }: ConnectOptions): Transport {
  if (/^wss?:\/\//i.test(host)) {
    const url = new URL(host);
    if (url.pathname === '/') url.pathname = SOCKET_PATH;
    return (signal) => openWebSocket({ url: url.href, makeSocket }, signal);
  }
  return async (signal) => {
    const { openOnNode } = await import('./node-transport.ts');
    return openOnNode({ host, trust }, signal);
  };
}
