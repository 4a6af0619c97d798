// What carries the library on Node: TCP, and TLS with the server's key pinned. Loaded only where it is asked for, so that
// a browser never sees it.

import { readOwnerToken } from '../net/owner.ts';
import { isLoopbackAddress } from '../net/peer.ts';
import { rpcError } from '../protocol/native/rpc.ts';
import { RefusedError, UnreachableError } from './errors.ts';
import type { NativeClient, Refused } from './native.ts';
import { clientOn, showOwner } from './on-socket.ts';
import { hintOfTls, NATIVE, reach, ReachError, type Policy } from './reach.ts';
import type { Trust } from './trust.ts';
import type { Answer, Opened, Proving } from './wire.ts';

export interface NodeTransportOptions {
  /** `[SCHEME://]HOST[:PORT]`. */
  readonly host: string;
  readonly trust: Trust;
  /** Where it goes by TLS; without it as every client does. */
  readonly policy?: Policy;
}

/** A connection on which nothing was asked yet. */
export interface OpenedOnNode extends Omit<Opened, 'wire' | 'proveOwner'> {
  readonly client: NativeClient;
}

/** Throws an `UnreachableError`, a `RefusedError` or the signal's reason. */
export async function openOnNode(options: NodeTransportOptions, signal: AbortSignal): Promise<Opened> {
  return toOpened(await openClient(options, signal));
}

/** For whoever is to come in, and keeps the client. */
export function toOpened({ client, ...others }: OpenedOnNode): Opened {
  return { wire: client, proveOwner: (tokenFile) => proveOwner(client, tokenFile), ...others };
}

/** Throws as `openOnNode` does. */
export async function openClient(options: NodeTransportOptions, signal: AbortSignal): Promise<OpenedOnNode> {
  const { host, trust, policy = NATIVE } = options;
  const reached = await reach(host, { policy, trust, signal }).catch((error: unknown) => {
    throw error instanceof ReachError ? errorOf(error) : error;
  });
  const client = clientOn(reached);
  const greeting = client.greeted().then((wrong) => {
    if (wrong === undefined) return undefined;
    client.destroy();
    return new UnreachableError(`Cannot connect to ${host}: ${wrong.refused}${hintOfTls(reached)}`);
  });
  const { address, fingerprint, isKnown } = reached;
  const isLoopback = isLoopbackAddress(address);
  return {
    client,
    greeting,
    isLoopback,
    isPrivate: isLoopback || fingerprint !== undefined,
    mayLogInAtOnce: isKnown,
    fingerprint,
  };
}

function errorOf(error: ReachError): Error {
  if (error.kind === 'denied') return new RefusedError('not-trusted', error.message);
  return new UnreachableError(error.message, { cause: error });
}

async function proveOwner(wire: NativeClient, tokenFile: string): Promise<Proving> {
  const token = readOwnerToken(tokenFile);
  if ('refused' in token) throw new RefusedError('no-credential', token.refused);
  const showing = await showOwner(wire, token);
  return { proven: 'proven' in showing ? showing.proven.then(toAnswer) : Promise.resolve(toAnswer(showing)) };
}

function toAnswer(proven: { readonly result: unknown } | Refused): Answer {
  if ('result' in proven) return proven;
  const { refused, kind } = proven;
  return kind === 'unreached' ? { lost: refused } : { error: rpcError('refused', 'wrong-proof', refused) };
}
