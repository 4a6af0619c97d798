// What `partyline doctor` says of a certificate: the one that is shown to whoever comes by TLS counts, wherever its file
// is; only where nobody shows any is the one in the directory looked at.

import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { formatHostPort, parseServerAddress } from '../../net/address.ts';
import { shakeHands } from '../../net/tls-client.ts';
import { localTime } from '../kit/time.ts';
import { CONNECT_TIMEOUT_MS, dialledFor, type Finding } from './checks.ts';

/** A certificate that ends within 30 days is to be renewed. */
const RENEW_WITHIN_MS = 30 * 86_400_000;
/** Of listeners that take TLS. */
const TAKES_TLS = /^(?:tcp|tls|https)(?:\+insecure)?$/;

export interface ShownCertificate {
  /** `HOST:PORT`. */
  readonly at: string;
  readonly certificate: X509Certificate;
  /** Of its key. */
  readonly fingerprint: string;
}

/** The first that is shown at one of the places where a server listens. */
export async function findCertificate(urls: readonly string[]): Promise<ShownCertificate | undefined> {
  for (const url of urls) {
    const address = parseServerAddress(url);
    if ('refused' in address || !TAKES_TLS.test(address.scheme ?? 'tcp')) continue;
    const { host, port } = address;
    const shown = await certificateAt(dialledFor(host), port);
    if (shown !== undefined) return { at: formatHostPort(host, port), ...shown };
  }
  return undefined;
}

async function certificateAt(host: string, port: number): Promise<Omit<ShownCertificate, 'at'> | undefined> {
  const signal = AbortSignal.timeout(CONNECT_TIMEOUT_MS);
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect', { signal });
    const handshake = await shakeHands(socket, { host, signal });
    if ('failed' in handshake) return undefined;
    const { inside, fingerprint } = handshake;
    const certificate = inside.on('error', () => {}).getPeerX509Certificate();
    return certificate === undefined ? undefined : { certificate, fingerprint };
  } catch {
    return undefined;
  } finally {
    socket.on('error', () => {}).destroy();
  }
}

export interface Looking {
  /** The server's. */
  readonly directory: string;
  readonly nowMs: number;
  readonly shown?: ShownCertificate | undefined;
}

export function checkCertificate({ directory, nowMs, shown }: Looking): Finding {
  const path = join(directory, 'tls.crt');
  const own = existsSync(path) ? readCertificate(path) : undefined;
  const again = `remove ${path} and send the server SIGHUP, or start it again: it makes a new one for the same key`;
  if (shown !== undefined) {
    const { certificate, fingerprint, at } = shown;
    const isOwn = own !== undefined && 'raw' in own && own.raw.equals(certificate.raw);
    const todo = isOwn ? again : 'put a new one in its place and send the server SIGHUP';
    const words = { subject: `the certificate shown at ${at}`, key: `, its key is ${fingerprint}`, todo };
    return judge(certificate, { ...words, nowMs });
  }
  const check = 'certificate';
  if (own === undefined) {
    return { check, state: 'ok', found: `none in ${directory}; a start without --tls-cert makes one` };
  }
  if ('wrong' in own) return { check, state: 'problem', found: `${path} is no certificate`, todo: again };
  return judge(own, { subject: path, key: '', todo: again, nowMs });
}

function readCertificate(path: string): X509Certificate | { readonly wrong: unknown } {
  try {
    return new X509Certificate(readFileSync(path));
  } catch (error) {
    return { wrong: error };
  }
}

interface Judging {
  readonly subject: string;
  readonly key: string;
  readonly todo: string;
  readonly nowMs: number;
}

function judge({ validToDate }: X509Certificate, { subject, key, todo, nowMs }: Judging): Finding {
  const check = 'certificate';
  const leftMs = validToDate.getTime() - nowMs;
  const until = localTime(validToDate.getTime()).slice(0, 'YYYY-MM-DD'.length);
  if (leftMs <= 0) return { check, state: 'problem', found: `${subject} has ended on ${until}${key}`, todo };
  if (leftMs < RENEW_WITHIN_MS) return { check, state: 'warning', found: `${subject} ends on ${until}${key}`, todo };
  return { check, state: 'ok', found: `${subject} is good until ${until}${key}` };
}
