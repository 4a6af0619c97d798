// TLS on a connection that has been dialled, with the server's key pinned: the first one that is met is remembered, and
// another one later is refused before anything is written.

import { formatHostPort } from '../net/address.ts';
import type { Dialled } from '../net/dial.ts';
import { shakeHands } from '../net/tls-client.ts';
import type { Trust } from './trust.ts';

/** The command line loads all of TLS at once, and only where it may need it. */
export { connectByTls } from '../net/tls-client.ts';

export interface SecureOptions {
  /** As it was given, with the port what a key is remembered for. */
  readonly host: string;
  readonly trust: Trust;
  readonly signal?: AbortSignal | undefined;
}

export interface Secured extends Dialled {
  /** Of the server's public key. */
  readonly fingerprint: string;
  /** It was known before: this is the server that is meant, and none that was met just now. */
  readonly isKnown: boolean;
}

export interface SecureFailure {
  /** `denied`: it is there, and not to be trusted. `otherwise`: it spoke something else. */
  readonly kind: 'unreached' | 'otherwise' | 'denied';
  /** What comes behind where it was; its subject is `it`, the server. */
  readonly why: string;
  /** Nothing came. */
  readonly isSilent?: boolean;
}

/** The message is one line. */
export class SecureError extends Error {
  override readonly name = 'SecureError';
  readonly kind: SecureFailure['kind'];
  readonly why: string;
  readonly isSilent: boolean;

  constructor(attempted: string, { kind, why, isSilent = false }: SecureFailure) {
    super(`${attempted}: ${why}`);
    this.kind = kind;
    this.why = why;
    this.isSilent = isSilent;
  }
}

/** Throws a `SecureError`, or the signal's reason; nothing has been sent then, and the connection is gone. */
export async function secure(dialled: Dialled, { host, trust, signal }: SecureOptions): Promise<Secured> {
  const server = formatHostPort(host.toLowerCase(), dialled.port);
  const handshake = await shakeHands(dialled.socket, { host, signal });
  if ('failed' in handshake) {
    const kind = handshake.otherwise === true ? 'otherwise' : 'unreached';
    const why = `${handshake.failed}; nothing was sent`;
    throw new SecureError(`Cannot connect to ${server} by TLS`, { kind, why, isSilent: handshake.isSilent === true });
  }
  const { inside, fingerprint } = handshake;
  const met = trust.meet(server, fingerprint);
  if ('refused' in met) {
    inside.destroy();
    throw new SecureError(`Cannot connect to ${server}`, { kind: 'denied', why: `${met.refused}; nothing was sent` });
  }
  if (met.met === 'first') {
    trust.tell(
      met.isVouched === true
        ? `${server} has shown the key that the code names, ${fingerprint}, which is remembered in ${met.where}`
        : `${server} is met for the first time; its key ${fingerprint} is remembered in ${met.where}`,
    );
  }
  const isKnown = met.met === 'again' || met.isVouched === true;
  return { ...dialled, socket: inside, fingerprint, isKnown };
}
