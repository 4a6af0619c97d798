// How `partyline run` comes in where there may be an account: as the other commands do. The owner on the server's own
// machine does not load this.

import { enter } from '../../client/credential.ts';
import { RefusedError, UnreachableError } from '../../client/errors.ts';
import type { NativeClient, Refused } from '../../client/native.ts';
import { openClient, toOpened } from '../../client/node-transport.ts';
import type { Entering } from '../../client/on-socket.ts';
import type { Trust } from '../../client/trust.ts';
import { AddressError, chooseCredential, serverOf } from '../kit/come-in.ts';

/** Throws the reason of `signal`, and nothing else. */
export async function enterAs(
  host: string,
  { trust, signal }: { trust: Trust; signal: AbortSignal },
): Promise<Entering | Refused> {
  let client: NativeClient | undefined;
  const onAbort = () => client?.destroy();
  const over = () => signal.removeEventListener('abort', onAbort);
  const refused = (error: unknown): Refused => {
    client?.destroy();
    if (error instanceof RefusedError) return { refused: error.message, kind: 'denied' };
    if (error instanceof UnreachableError || error instanceof AddressError) {
      return { refused: error.message, kind: 'unreached' };
    }
    throw error;
  };
  signal.addEventListener('abort', onAbort);
  try {
    const server = serverOf(host);
    const opened = await openClient({ host, trust }, signal);
    ({ client } = opened);
    signal.throwIfAborted();
    const { cameIn } = await enter(toOpened(opened), (around) => chooseCredential({ host, server }, around));
    return { client, cameIn: cameIn.then(() => undefined, refused).finally(over), keep: over };
  } catch (error) {
    over();
    client?.destroy();
    signal.throwIfAborted();
    return refused(error);
  }
}
