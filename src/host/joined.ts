// A machine's place at a server: it joins once with a code, shows its key ever after, and comes back when the connection
// is lost, until the server does not want it any more.

import { delayBefore, waited, type Reconnect } from '../client/backoff.ts';
import { RefusedError, refusedBy, UnreachableError } from '../client/errors.ts';
import type { NativeClient } from '../client/native.ts';
import { openClient } from '../client/node-transport.ts';
import { readResult } from '../client/requests.ts';
import type { Trust } from '../client/trust.ts';
import type { Answer } from '../client/wire.ts';
import type { World } from '../client/world.ts';
import type { JoinCode } from '../net/join-code.ts';
import { newNonce } from '../net/owner.ts';
import type { MachineKey } from '../net/machine.ts';
import { hostChallenge, hostJoin, hostProve } from '../protocol/native/methods/host.ts';
import { serveRuns, type ServingOptions } from './serving.ts';

export interface Joining extends Pick<ServingOptions, 'runner' | 'detached' | 'policy' | 'onDenied' | 'onRecordsHead'> {
  readonly host: string;
  readonly key: MachineKey;
  /** Of an invitation; counts once. */
  readonly code: JoinCode | undefined;
  readonly labels: ReadonlyMap<string, string>;
  readonly trust: Trust;
  readonly world: Pick<World, 'after' | 'random'>;
  readonly reconnect?: Reconnect;
  readonly onJoined: (name: string) => void;
  /** The next attempt comes by itself. */
  readonly onLost: (reason: string) => void;
}

/**
 * Milliseconds after which a connection counts as one: who is thrown out before, by another program with the same key say,
 * waits longer from time to time.
 */
const STEADY_MS = 30_000;

/** Settles when the signal says so. Throws a `RefusedError` once the server does not take it, and for good. */
export async function beJoined(joining: Joining, signal: AbortSignal): Promise<void> {
  const { world, reconnect = {} } = joining;
  let { code } = joining;
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      const client = await comeIn(joining, code, signal);
      code = undefined;
      const cancel = world.after(STEADY_MS, () => (attempt = 0));
      const stop = () => client.close();
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
      const reason = await client.gone;
      cancel();
      signal.removeEventListener('abort', stop);
      if (!signal.aborted) joining.onLost(reason);
    } catch (error) {
      if (signal.aborted) return;
      const isForNow = error instanceof UnreachableError || (error instanceof RefusedError && FOR_NOW.has(error.code));
      // Whoever brings a code is there to see that it failed.
      if (!isForNow || code !== undefined) throw error;
      joining.onLost(error.message);
    }
    const delayMs = delayBefore(attempt, reconnect, () => world.random()) ?? 0;
    await waited(delayMs, { world, signal });
  }
}

const FOR_NOW = new Set(['busy', 'closing', 'too-many-wrong', 'not-stored']);

async function comeIn(joining: Joining, code: Joining['code'], signal: AbortSignal): Promise<NativeClient> {
  const { host, key, labels, trust, runner, detached, policy, onDenied, onRecordsHead } = joining;
  const { client, greeting, isLoopback, isPrivate, fingerprint } = await openClient({ host, trust }, signal);
  // Whoever is told to stop does not wait for a server that does not answer.
  const stop = () => client.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (!isPrivate) {
      throw new RefusedError(
        'not-encrypted',
        `Cannot join ${host}: the connection is plain text, and nothing was sent`,
      );
    }
    const clientNonce = newNonce();
    const asked = client.request(hostChallenge.name, { nonce: clientNonce });
    const wrong = await greeting;
    if (wrong !== undefined) throw wrong;
    const challenged = readResult(hostChallenge, resultIn(await asked));
    const said = challenged.fingerprint;
    // By TLS it was proven before. In plain text it is the server's word, which shows that it is another by mistake.
    if (code !== undefined && said !== undefined && said !== code.fingerprint) {
      const why = otherKey(said, code.fingerprint);
      throw new RefusedError('other-key', `Cannot join ${host}: ${why}; the code was not sent and still counts`);
    }
    const refused = code === undefined ? undefined : await join(client, { code: code.code, key: key.publicKey });
    const { address, port } = client.far;
    const server = isLoopback && fingerprint === undefined ? { address, port } : undefined;
    const proof = key.prove({ clientNonce, serverNonce: challenged.nonce, server });
    const params = { key: key.publicKey, proof, labels: Object.fromEntries(labels) };
    // Before the answer: what the server asks may come with it.
    serveRuns({ client, runner, detached, policy, onDenied, onRecordsHead });
    const proven = await client.request(hostProve.name, params);
    // A code that was used, by this very machine: then its key says so.
    if ('error' in proven && refused !== undefined) throw refused;
    const { name } = readResult(hostProve, resultIn(proven));
    joining.onJoined(name);
    return client;
  } catch (error) {
    client.destroy();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

export function otherKey(shown: string, expected: string): string {
  return `its key is ${shown} and the code is for ${expected}`;
}

/** Why the code counts no more: it may have been this very machine that used it. */
async function join(client: NativeClient, given: { code: string; key: string }): Promise<RefusedError | undefined> {
  const answer = await client.request(hostJoin.name, given);
  if ('error' in answer && answer.error.data?.code === 'bad-secret') return refusedBy(answer.error);
  readResult(hostJoin, resultIn(answer));
  return undefined;
}

function resultIn(answer: Answer): unknown {
  if ('error' in answer) throw refusedBy(answer.error);
  if ('lost' in answer) throw new UnreachableError(`The server went away: ${answer.lost}`);
  return answer.result;
}
