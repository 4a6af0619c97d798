// The client's side of TLS: a handshake on a connection that is there or that TLS dials, and whose key the server has shown
// that it holds. Whether it is the right key is for the caller to say, before anything is written.

import { isIP, type Socket } from 'node:net';
import { connect, TLSSocket, type ConnectionOptions } from 'node:tls';
import { fingerprintOf } from './fingerprint.ts';
import type { Candidate } from './race.ts';
import { ReadMemory } from './read-memory.ts';
import { whyConnectFailed } from './reason.ts';

/** A second less than a server of ours gives it: whoever waits as long hears a reset, and does not know that it was silence. */
const HANDSHAKE_TIMEOUT_MS = 9_000;

export interface HandshakeOptions {
  /** As it was dialled; a name is told to the server (SNI), an address never is (RFC 6066 section 3). */
  readonly host: string;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number;
}

export interface ByTls extends Pick<HandshakeOptions, 'host'> {
  readonly port: number;
  readonly allowHalfOpen: boolean;
}

export type Handshake =
  /** Not flowing yet. Its `error` event is the caller's. */
  | { readonly inside: TLSSocket; readonly fingerprint: string }
  /** Why there is none; its subject is `it`, the server. The connection is gone. `otherwise`: it spoke something else. `isSilent`: nothing came. */
  | { readonly failed: string; readonly otherwise?: true; readonly isSilent?: true };

function optionsFor(host: string): ConnectionOptions {
  return {
    // Names and authorities are not what is relied on, but the key. No session is ever resumed: one has no certificate.
    rejectUnauthorized: false,
    // Nor are the authorities of the world read then, which would take longer than the handshake.
    ca: [],
    // Both ends are ours, and TLS 1.2 has no half-close (RFC 5246 7.2.1 against RFC 8446 6.1).
    minVersion: 'TLSv1.3',
    ...(isIP(host) === 0 ? { servername: host.replace(/\.$/, '') } : {}),
  };
}

/**
 * As `connectTo`, for `shakeHands`: a connection of its own is the only one that TLS reads into memory of ours. The first
 * words of the handshake leave with its event `connect`, or never, if it is destroyed before.
 */
export function connectByTls(to: Candidate, { host, port, allowHalfOpen }: ByTls): TLSSocket {
  const { address, family } = to;
  const memory = new ReadMemory();
  const where = { host: address, port, family, autoSelectFamily: false, allowHalfOpen, onread: memory.onread };
  const socket = memory.serve(connect({ ...optionsFor(host), ...where }));
  socket.setNoDelay(true);
  return socket;
}

/** On a socket that is connected. Throws the signal's reason, and nothing else. */
export async function shakeHands(socket: Socket, options: HandshakeOptions): Promise<Handshake> {
  const { host, signal, timeoutMs = HANDSHAKE_TIMEOUT_MS } = options;
  signal?.throwIfAborted();
  const inside = socket instanceof TLSSocket ? socket : connect({ ...optionsFor(host), socket });
  const { promise, resolve } = Promise.withResolvers<Handshake>();
  const onSecure = () => {
    const key = inside.getPeerX509Certificate()?.publicKey;
    resolve(key === undefined ? { failed: 'it showed no certificate' } : { inside, fingerprint: fingerprintOf(key) });
  };
  const onError = (error: Error) => resolve(failureOf(error));
  const onClose = () => resolve({ failed: 'it closed the connection during the TLS handshake' });
  const onAbort = () => resolve({ failed: 'interrupted' });
  const timer = setTimeout(
    () => resolve({ failed: `it made no TLS handshake within ${timeoutMs / 1_000} s`, isSilent: true }),
    timeoutMs,
  );
  inside.once('secureConnect', onSecure).on('error', onError).once('close', onClose);
  signal?.addEventListener('abort', onAbort);
  const handshake = await promise;
  clearTimeout(timer);
  signal?.removeEventListener('abort', onAbort);
  inside.off('secureConnect', onSecure).off('close', onClose);
  if ('failed' in handshake) inside.destroy();
  else inside.off('error', onError);
  signal?.throwIfAborted();
  return handshake;
}

/** What OpenSSL says when the other end speaks something else. */
const NOT_TLS = /WRONG_VERSION_NUMBER|PACKET_LENGTH|UNEXPECTED_MESSAGE|HTTP_REQUEST|RECORD_LAYER|BAD_RECORD/i;

function failureOf(error: Error): Extract<Handshake, { failed: string }> {
  const code = 'code' in error ? String(error.code) : '';
  if (NOT_TLS.test(code)) return { failed: 'it does not speak TLS', otherwise: true };
  const why = code.startsWith('ERR_SSL_')
    ? ` (${code.slice('ERR_SSL_'.length).toLowerCase()})`
    : `: ${whyConnectFailed(error)}`;
  return { failed: `the TLS handshake failed${why}` };
}
