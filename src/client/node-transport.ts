// What carries the library on Node: TCP, and TLS with the server's key pinned. Loaded only where it is asked for, so that
// a browser never sees it.

import { readOwnerToken } from '../net/owner.ts';
import { isLoopbackAddress } from '../net/peer.ts';
import { RefusedError, UnreachableError } from './errors.ts';
import type { NativeClient } from './native.ts';
import { becomeOwner, clientOn } from './on-socket.ts';
import { hintOfTls, NATIVE, reach, ReachError, type Reached } from './reach.ts';
import type { Trust } from './trust.ts';
import type { Answer, Opened, Surroundings } from './wire.ts';

export interface NodeTransportOptions {
  /** `[SCHEME://]HOST[:PORT]`. */
  readonly host: string;
  readonly trust: Trust;
}

/** A connection on which nothing was said yet. */
export interface OpenedOnNode extends Surroundings {
  readonly client: NativeClient;
}

/** Throws an `UnreachableError`, a `RefusedError` or the signal's reason. */
export async function openOnNode(options: NodeTransportOptions, signal: AbortSignal): Promise<Opened> {
  return toOpened(await openClient(options, signal));
}

/** For whoever is to come in, and keeps the client. */
export function toOpened({ client, ...surroundings }: OpenedOnNode): Opened {
  return { wire: client, proveOwner: (tokenFile) => proveOwner(client, tokenFile), ...surroundings };
}

/** Throws as `openOnNode` does. */
export async function openClient({ host, trust }: NodeTransportOptions, signal: AbortSignal): Promise<OpenedOnNode> {
  const reached = await reach(host, { policy: NATIVE, trust, signal }).catch((error: unknown) => {
    throw error instanceof ReachError ? errorOf(error) : error;
  });
  const client = clientOn(reached);
  const onAbort = () => client.destroy();
  signal.addEventListener('abort', onAbort);
  const wrong = await client.greeted();
  signal.removeEventListener('abort', onAbort);
  signal.throwIfAborted();
  if (wrong !== undefined) {
    client.destroy();
    throw new UnreachableError(`Cannot connect to ${host}: ${wrong.refused}${hintOfTls(reached)}`);
  }
  return { client, ...surroundingsOf(reached) };
}

function errorOf(error: ReachError): Error {
  if (error.kind === 'denied') return new RefusedError('not-trusted', error.message);
  return new UnreachableError(error.message, { cause: error });
}

function surroundingsOf({ address, fingerprint }: Reached): Surroundings {
  const isLoopback = isLoopbackAddress(address);
  return { isLoopback, isPrivate: isLoopback || fingerprint !== undefined, fingerprint };
}

async function proveOwner(wire: NativeClient, tokenFile: string): Promise<Answer> {
  const token = readOwnerToken(tokenFile);
  if ('refused' in token) throw new RefusedError('no-credential', token.refused);
  const proven = await becomeOwner(wire, token);
  if ('result' in proven) return proven;
  if (proven.kind === 'unreached') return { lost: proven.refused };
  throw new RefusedError('wrong-proof', proven.refused);
}
