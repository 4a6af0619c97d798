// The client's end of a native connection on a socket: dials, and shows the server that its owner is there. Node's alone;
// what follows, native.ts, is the same on everything that carries frames.

import { newNonce, readOwnerToken, type OwnerToken, type Proven } from '../net/owner.ts';
import { formatHostPort } from '../net/address.ts';
import type { Dialled } from '../net/dial.ts';
import { memoryOf } from '../net/read-memory.ts';
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
  // The preface leaves with what is asked at once: one packet, and one record of TLS.
  socket.cork();
  process.nextTick(() => socket.uncork());
  return new NativeClient(socket, {
    far: { address, port },
    why: whyConnectFailed,
    onServed: countRead,
    soon: (then) => void setImmediate(then),
    memory: memoryOf(socket),
    after,
  });
}

/** The login is on its way. What is asked behind it is done after it, or is refused as it is: a server takes one after the other. */
export interface Entering {
  readonly client: NativeClient;
  /** Undefined: the server has let us in. The client is gone otherwise. Never rejects. */
  readonly cameIn: Promise<Refused | undefined>;
  /** A command has been asked for, which is to be asked to end: the signal no longer takes the connection away from it. */
  readonly keep: () => void;
}

/** The client, once it is in. Throws the reason of `signal`, and nothing else. */
export async function entered(
  { client, cameIn }: Entering,
  signal: AbortSignal | undefined,
): Promise<NativeClient | Refused> {
  const refused = await cameIn;
  if (signal?.aborted === true) client.destroy();
  signal?.throwIfAborted();
  return refused ?? client;
}

/** Connects to a server and shows it that the owner is there. Throws the reason of `signal`, and nothing else. */
export async function enterAsOwner(
  target: string,
  { tokenFile, trust, signal }: ConnectOptions,
): Promise<Entering | Refused> {
  let reached: Reached;
  try {
    reached = await reach(target, { policy: OWNER, trust, signal });
  } catch (error) {
    if (error instanceof ReachError) return { refused: error.message, kind: error.kind };
    throw error;
  }
  return ownerOn(reached, { tokenFile, signal });
}

interface OwnerOptions {
  readonly tokenFile: string;
  readonly signal?: AbortSignal | undefined;
}

async function ownerOn(reached: Reached, { tokenFile, signal }: OwnerOptions): Promise<Entering | Refused> {
  const token = readOwnerToken(tokenFile);
  if ('refused' in token) {
    reached.socket.destroy();
    return { ...token, kind: 'denied' };
  }
  const client = clientOn(reached);
  const onAbort = () => client.destroy();
  const over = () => signal?.removeEventListener('abort', onAbort);
  const fail = (refused: Refused): Refused => {
    client.destroy();
    // Who was answered is told all of it by the answer.
    if (refused.kind !== 'unreached') return refused;
    const { host, port } = reached;
    const at = formatHostPort(host, port);
    return { ...refused, refused: `Cannot connect to ${at}: ${refused.refused}${hintOfTls(reached)}` };
  };
  signal?.addEventListener('abort', onAbort);
  const showing = await showOwner(client, token);
  if ('proven' in showing) {
    const cameIn = showing.proven.then((proven) => ('result' in proven ? undefined : fail(proven)));
    return { client, cameIn: cameIn.finally(over), keep: over };
  }
  over();
  const refused = fail(showing);
  signal?.throwIfAborted();
  return refused;
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
  const entering = await ownerOn(reached, { tokenFile });
  if ('refused' in entering) return entering;
  const refused = await entering.cameIn;
  if (refused !== undefined) return refused;
  const { client } = entering;
  const answer = await client.request(METHODS.ownerTicket, {});
  client.close();
  if (!('result' in answer)) return refusalIn(answer);
  const given = ownerTicket.parseResult(answer.result);
  return given === undefined
    ? denied('Cannot come in as the owner: the server gives no ticket')
    : { ...given, address: reached.address };
}

/** Our proof has left. */
export interface Showing {
  readonly proven: Promise<{ readonly result: unknown } | Refused>;
}

/** The server proves that it knows the token before anything is proven to it. */
export async function showOwner(client: NativeClient, token: OwnerToken): Promise<Showing | Refused> {
  const clientNonce = newNonce();
  // It leaves with the preface: a nonce tells nobody anything.
  const challenged = await client.soon(client.request(METHODS.ownerChallenge, { nonce: clientNonce }));
  if (!('result' in challenged)) return refusalIn(challenged);
  const attempt = `Cannot come in as the owner at ${formatHostPort(client.far.address, client.far.port)}`;
  const nonce = parseNonce(challenged.result);
  const proof = parseProof(challenged.result);
  if ('bad' in nonce || 'bad' in proof) return denied(`${attempt}: it does not prove that it knows the owner token`);
  const nonces = { clientNonce, serverNonce: nonce.nonce, ...client.far };
  if (!token.verify(proof.proof, { by: 'server', ...nonces } satisfies Proven)) {
    return denied(
      `${attempt}: this server does not know the owner token, or not at this address; nothing was proven to it`,
    );
  }
  const asked = client.soon(client.request(METHODS.ownerProve, { proof: token.prove({ by: 'client', ...nonces }) }));
  return { proven: asked.then((answer) => ('result' in answer ? answer : refusalIn(answer))) };
}

function denied(refused: string): Refused {
  return { refused, kind: 'denied' };
}

function refusalIn(answer: Exclude<Answer, { result: unknown }>): Refused {
  return 'lost' in answer ? { refused: answer.lost, kind: 'unreached' } : denied(shown(answer.error.message));
}
