// How `partyline run` comes in where there may be an account: as the other commands do. The owner on the server's own
// machine does not load this.

import { logIn } from '../../client/credential.ts';
import { RefusedError, UnreachableError } from '../../client/errors.ts';
import type { NativeClient, Refused } from '../../client/native.ts';
import { openClient, toOpened } from '../../client/node-transport.ts';
import type { Trust } from '../../client/trust.ts';
import { AddressError, chooseCredential, serverOf } from '../kit/come-in.ts';

/** Throws the reason of `signal`, and nothing else. */
export async function connectAs(
  host: string,
  { trust, signal }: { trust: Trust; signal: AbortSignal },
): Promise<NativeClient | Refused> {
  let client: NativeClient | undefined;
  const onAbort = () => client?.destroy();
  signal.addEventListener('abort', onAbort);
  try {
    const server = serverOf(host);
    const opened = await openClient({ host, trust }, signal);
    ({ client } = opened);
    await logIn(toOpened(opened), (surroundings) => chooseCredential({ host, server }, surroundings));
    return client;
  } catch (error) {
    client?.destroy();
    signal.throwIfAborted();
    if (error instanceof RefusedError) return { refused: error.message, kind: 'denied' };
    if (error instanceof UnreachableError || error instanceof AddressError) {
      return { refused: error.message, kind: 'unreached' };
    }
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
