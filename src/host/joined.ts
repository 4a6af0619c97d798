// A machine's place at a server: it joins once with a code, shows its key ever after, and comes back when the connection
// is lost, until the server does not want it any more.

import { delayBefore, waited, type Reconnect } from '../client/backoff.ts';
import { RefusedError, refusedBy, UnreachableError } from '../client/errors.ts';
import { MACHINE } from '../client/reach.ts';
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
import { serveOnceAccepted, type ServingOptions } from './serving.ts';

export interface Joining extends Pick<ServingOptions, 'runner' | 'detached' | 'policy' | 'onDenied' | 'onRecordsHead'> {
  readonly host: string;
  readonly key: MachineKey;
  /** Of an invitation; counts once. */
  readonly code: JoinCode | undefined;
  readonly labels: ReadonlyMap<string, string>;
  /** Of servers' keys. Without one that it knows nothing is asked of a server, and nothing done for it. */
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

/** Milliseconds that a server has for each answer until the machine is accepted: it does nothing slow for one, and may answer pings. */
const ANSWER_TIMEOUT_MS = 10_000;

/** Settles when the signal says so. Throws a `RefusedError` once the server does not take it, and for good. */
export async function beJoined(joining: Joining, signal: AbortSignal): Promise<void> {
  const { world, reconnect = {} } = joining;
  let { code } = joining;
  let hasJoined = false;
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      const client = await comeIn(joining, code, signal);
      code = undefined;
      hasJoined = true;
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
      if (!(error instanceof UnreachableError || error instanceof RefusedError)) throw error;
      // Whoever brings a code is there to see that it failed.
      if (code !== undefined || (error instanceof RefusedError && !isForNow(error, hasJoined))) throw error;
      joining.onLost(error.message);
    }
    const delayMs = delayBefore(attempt, reconnect, () => world.random()) ?? 0;
    await waited(delayMs, { world, signal });
  }
}

const FOR_NOW = new Set(['busy', 'closing', 'too-many-wrong', 'not-stored']);

/** Whoever shows another key while the server is away, on its port say, is not to end what waits for the server. */
function isForNow({ code }: RefusedError, hasJoined: boolean): boolean {
  return FOR_NOW.has(code) || (hasJoined && code === 'not-trusted');
}

async function comeIn(joining: Joining, code: Joining['code'], signal: AbortSignal): Promise<NativeClient> {
  const { host, key, labels, trust, runner, detached, policy, onDenied, onRecordsHead, world } = joining;
  // By TLS the server has shown its key by then, and that it is the one that is known.
  const { client, greeting } = await openClient({ host, trust, policy: MACHINE }, signal);
  // Whoever is told to stop does not wait for a server that does not answer.
  const stop = () => client.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    const clientNonce = newNonce();
    const asked = client.request(hostChallenge.name, { nonce: clientNonce });
    const wrong = await greeting;
    if (wrong !== undefined) throw wrong;
    const challenged = readResult(hostChallenge, resultIn(await inTime(asked, world)));
    const joined =
      code === undefined ? undefined : client.request(hostJoin.name, { code: code.code, key: key.publicKey });
    const refused = joined === undefined ? undefined : whyUnjoined(await inTime(joined, world));
    const proof = key.prove({ clientNonce, serverNonce: challenged.nonce, server: undefined });
    const params = { key: key.publicKey, proof, labels: Object.fromEntries(labels) };
    // What the server asks may come before its answer and right behind it.
    const serve = serveOnceAccepted({ client, runner, detached, policy, onDenied, onRecordsHead });
    const proving = client.request(hostProve.name, params, (answer) => {
      if ('result' in answer) serve();
    });
    const proven = await inTime(proving, world);
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

/** Why the code counts no more: it may have been this very machine that used it. */
function whyUnjoined(answer: Answer): RefusedError | undefined {
  if ('error' in answer && answer.error.data?.code === 'bad-secret') return refusedBy(answer.error);
  readResult(hostJoin, resultIn(answer));
  return undefined;
}

async function inTime(asked: Promise<Answer>, world: Joining['world']): Promise<Answer> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const why = `The server has not accepted the machine: it did not answer within ${ANSWER_TIMEOUT_MS / 1_000} s`;
  const cancel = world.after(ANSWER_TIMEOUT_MS, () => reject(new UnreachableError(why)));
  try {
    return await Promise.race([asked, late]);
  } finally {
    cancel();
  }
}

function resultIn(answer: Answer): unknown {
  if ('error' in answer) throw refusedBy(answer.error);
  if ('lost' in answer) throw new UnreachableError(`The server went away: ${answer.lost}`);
  return answer.result;
}
