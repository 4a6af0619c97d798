// The client's end of a native connection on a socket: dials, and shows the server that its owner is there. Node's alone;
// what follows, native.ts, is the same on everything that carries frames.

import { newNonce, readOwnerToken, type OwnerToken, type Proven } from '../net/owner.ts';
import { formatHostPort } from '../net/address.ts';
import type { Dialled } from '../net/dial.ts';
import { whyConnectFailed } from '../net/reason.ts';
import { countRead } from '../net/scavenge.ts';
import { METHODS } from '../protocol/native/methods.ts';
import { ownerTicket, parseNonce, parseProof } from '../protocol/native/methods/owner.ts';
import { NativeClient, type Refused } from './native.ts';
import { hintOfTls, LINES, OWNER, reach, ReachError, type Reached } from './reach.ts';
import { shown } from './shown.ts';
import type { Trust } from './trust.ts';
import type { After } from './vigil.ts';
import type { Answer } from './wire.ts';

/** What a server calls the token's file, in its directory; the commands know net's words by the client only. */
export { OWNER_TOKEN_FILE } from '../net/owner.ts';

/** Milliseconds of silence before TCP asks whether the machine of the server is still there. */
const KEEPALIVE_MS = 30_000;

export interface ConnectOptions {
  /** Holds the owner token; read once it is known that the server is on this machine. */
  readonly tokenFile: string;
  readonly trust: Trust;
  readonly signal?: AbortSignal;
}

/** `after`: time, for tests. */
export function clientOn({ socket, address, port }: Dialled, { after }: { readonly after?: After } = {}): NativeClient {
  // Where nothing is awaited nobody is asked, and a machine that is no longer there is found out all the same.
  socket.setKeepAlive(true, KEEPALIVE_MS);
  return new NativeClient(socket, {
    far: { address, port },
    why: whyConnectFailed,
    onServed: countRead,
    soon: (then) => void setImmediate(then),
    after,
  });
}

/** Connects to a server and shows it that the owner is there. Throws the reason of `signal`, and nothing else. */
export async function connectAsOwner(
  target: string,
  { tokenFile, trust, signal }: ConnectOptions,
): Promise<NativeClient | Refused> {
  let reached: Reached;
  try {
    reached = await reach(target, { policy: OWNER, trust, signal });
  } catch (error) {
    if (error instanceof ReachError) return { refused: error.message, kind: error.kind };
    throw error;
  }
  return ownerOn(reached, { tokenFile, signal });
}

interface Showing {
  readonly tokenFile: string;
  readonly signal?: AbortSignal | undefined;
}

async function ownerOn(reached: Reached, { tokenFile, signal }: Showing): Promise<NativeClient | Refused> {
  const token = readOwnerToken(tokenFile);
  if ('refused' in token) {
    reached.socket.destroy();
    return { ...token, kind: 'denied' };
  }
  const client = clientOn(reached);
  const onAbort = () => client.destroy();
  signal?.addEventListener('abort', onAbort);
  const proven = await becomeOwner(client, token);
  signal?.removeEventListener('abort', onAbort);
  if ('result' in proven) return client;
  client.destroy();
  signal?.throwIfAborted();
  const { host, port } = reached;
  const hint = proven.kind === 'unreached' ? hintOfTls(reached) : '';
  return { ...proven, refused: `Cannot connect to ${formatHostPort(host, port)}: ${proven.refused}${hint}` };
}

export interface OwnerTicket {
  /** The owner's. */
  readonly name: string;
  readonly ticket: string;
  /** Where the server has shown that it is the one: a ticket goes to no other. */
  readonly address: string;
}

/** What brings the owner in by the line protocol. Undefined: there is no such server on this machine, or none at all. */
export async function ownerTicketOf(
  target: string,
  { tokenFile, trust }: ConnectOptions,
): Promise<OwnerTicket | Refused | undefined> {
  let reached: Reached;
  try {
    reached = await reach(target, { policy: { ...LINES, isLoopbackOnly: true }, trust });
  } catch (error) {
    if (error instanceof ReachError) return undefined;
    throw error;
  }
  const client = await ownerOn(reached, { tokenFile });
  if ('refused' in client) return client;
  const answer = await client.request(METHODS.ownerTicket, {});
  client.close();
  if (!('result' in answer)) return refusalIn(answer);
  const given = ownerTicket.parseResult(answer.result);
  return given === undefined ? denied('it gives no ticket') : { ...given, address: reached.address };
}

/** Gives what the server answered. */
export function becomeOwner(client: NativeClient, token: OwnerToken): Promise<{ readonly result: unknown } | Refused> {
  return client.soon(prove(client, token));
}

/** The server proves that it knows the token before anything is proven to it. */
async function prove(client: NativeClient, token: OwnerToken): Promise<{ readonly result: unknown } | Refused> {
  await client.greeted();
  const clientNonce = newNonce();
  const challenged = await client.request(METHODS.ownerChallenge, { nonce: clientNonce });
  if (!('result' in challenged)) return refusalIn(challenged);
  const nonce = parseNonce(challenged.result);
  const proof = parseProof(challenged.result);
  if ('bad' in nonce || 'bad' in proof) return denied('it does not prove that it knows the owner token');
  const nonces = { clientNonce, serverNonce: nonce.nonce, ...client.far };
  if (!token.verify(proof.proof, { by: 'server', ...nonces } satisfies Proven)) {
    return denied('this server does not know the owner token, or not at this address; nothing was proven to it');
  }
  const proven = await client.request(METHODS.ownerProve, { proof: token.prove({ by: 'client', ...nonces }) });
  return 'result' in proven ? proven : refusalIn(proven);
}

function denied(refused: string): Refused {
  return { refused, kind: 'denied' };
}

function refusalIn(answer: Exclude<Answer, { result: unknown }>): Refused {
  return 'lost' in answer ? { refused: answer.lost, kind: 'unreached' } : denied(shown(answer.error.message));
}
