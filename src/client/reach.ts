// Reaching a server in plain text, and only where that is meant: towards loopback, or when the address says so.

import { parseServerAddress } from '../net/address.ts';
import { dial, DialError, type Dialled } from '../net/dial.ts';
import { isLoopbackAddress } from '../net/peer.ts';

/** Plain text beyond loopback has to be asked for by this name. */
const INSECURE = 'tcp+insecure';

/** The server could not be reached, or not in a way that is safe. The message is one line. */
export class ReachError extends Error {
  override readonly name = 'ReachError';
}

export interface Reached extends Dialled {
  /** As it was given, without scheme. */
  readonly host: string;
}

export interface ReachOptions {
  readonly family?: 4 | 6;
  readonly signal?: AbortSignal;
}

/** Connects to `[SCHEME://]HOST[:PORT]`. Throws a `ReachError`; nothing has been sent then. */
export async function reach(text: string, options: ReachOptions = {}): Promise<Reached> {
  const parsed = parseServerAddress(text);
  if ('refused' in parsed) throw new ReachError(parsed.refused);
  const { scheme = 'tcp', host, port } = parsed;
  if (scheme === 'tls') throw new ReachError(`Cannot connect to ${text}: TLS is not available yet; nothing was sent`);
  if (scheme !== 'tcp' && scheme !== 'line' && scheme !== INSECURE) {
    throw new ReachError(`Cannot connect to ${text}: the scheme is tcp, ${INSECURE} or none, not ${scheme}`);
  }
  const dialled = await dial({ host, port, allowHalfOpen: true, ...options }).catch((error: unknown) => {
    throw error instanceof DialError ? new ReachError(error.message, { cause: error }) : error;
  });
  if (scheme !== INSECURE && !isLoopbackAddress(dialled.address)) {
    dialled.socket.destroy();
    throw new ReachError(
      `Cannot talk to ${host}: ${dialled.address} is another machine and TLS is not available yet; ` +
        `${INSECURE}://${text.replace(/^.*:\/\//, '')} says that plain text is meant; nothing was sent`,
    );
  }
  return { ...dialled, host };
}
