// Who a server is to those who come by TLS: a key and a certificate for it. Made on the first start and kept in its
// directory, or an operator's own files.

import { createPrivateKey, generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto';
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { makeCertificate } from './certificate.ts';
import { fingerprintOf } from './fingerprint.ts';
import { whyFileFailed } from './reason.ts';

export const TLS_KEY_FILE = 'tls.key';
export const TLS_CERTIFICATE_FILE = 'tls.crt';
/** The fingerprint of the key in use, for whoever is asked for it. */
export const TLS_FINGERPRINT_FILE = 'tls.fingerprint';

/** Of group and others, every bit. */
const ALL_BUT_OWNER = 0o077;
/** Of others alone: an operator may have a group for those who serve (Debian's is ssl-cert). */
const OTHERS = 0o007;

/** PEM files of an operator. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

export interface IdentityOptions {
  /** The server's own, locked. */
  readonly directory: string;
  /** Instead of what is made in the directory. */
  readonly files?: TlsFiles | undefined;
  /** What a certificate that is made is for. */
  readonly names: readonly string[];
  readonly now: () => number;
}

/** Fit for `tls.createServer`. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
  readonly fingerprint: string;
  /** Milliseconds since 1970. */
  readonly validUntil: number;
}

/** Reads, or first makes, key and certificate. Throws an Error whose message is the whole story. */
export function loadIdentity({ directory, files, names, now }: IdentityOptions): Identity {
  const keyPath = files?.key ?? join(directory, TLS_KEY_FILE);
  const certPath = files?.cert ?? join(directory, TLS_CERTIFICATE_FILE);
  if (files === undefined && !existsSync(keyPath)) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    write(keyPath, privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o600);
    // A certificate that is left of another key is of no use.
    if (existsSync(certPath)) unlinkSync(certPath);
  }
  const key = readKey(keyPath, files === undefined ? ALL_BUT_OWNER : OTHERS);
  if (files === undefined && !existsSync(certPath)) {
    write(certPath, makeCertificate({ key: createPrivateKey(key), names, madeAt: new Date(now()) }), 0o644);
  }
  const cert = readCertificate(certPath);
  const certificate = parse(certPath, () => new X509Certificate(cert));
  // Both as they will be used, the chain behind the certificate included.
  if (!certificate.checkPrivateKey(parse(keyPath, () => createPrivateKey(key)))) {
    throw new Error(`Cannot use the certificate ${certPath}: the key ${keyPath} is another one's`);
  }
  parse(certPath, () => createSecureContext({ cert, key }));
  const fingerprint = fingerprintOf(certificate.publicKey);
  write(join(directory, TLS_FINGERPRINT_FILE), `${fingerprint}\n`, 0o644);
  return { cert, key, fingerprint, validUntil: certificate.validToDate.getTime() };
}

function readKey(path: string, forbidden: number): string {
  const no = (why: string) => new Error(`Cannot use the TLS key ${path}: ${why}`);
  let descriptor: number;
  try {
    // Not blocking: a pipe in its place must not hang the start.
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    throw no(whyFileFailed(error));
  }
  try {
    const file = fstatSync(descriptor);
    if (!file.isFile()) throw no('it is not a file');
    if (process.platform !== 'win32' && (file.mode & forbidden) !== 0) {
      throw no(`others may read it (mode ${(file.mode & 0o777).toString(8).padStart(4, '0')}); it must be 0600`);
    }
    const text = readFileSync(descriptor, 'utf8');
    parse(path, () => createPrivateKey(text));
    return text;
  } finally {
    closeSync(descriptor);
  }
}

function readCertificate(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`Cannot use the certificate ${path}: ${whyFileFailed(error)}`, { cause: error });
  }
}

/** What OpenSSL says of a file is for those who know it: it goes with the error, not into its message. */
function parse<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new Error(`Cannot use ${path} for TLS: it does not hold what it should, as PEM and without a password`, {
      cause: error,
    });
  }
}

/** Written whole beside its place, then renamed: it is there complete, or as it was. */
function write(path: string, text: string | Buffer, mode: number): void {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    const descriptor = openSync(draft, 'wx', mode);
    try {
      writeSync(descriptor, text.toString());
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(draft, path);
  } catch (error) {
    if (existsSync(draft)) unlinkSync(draft);
    throw new Error(`Cannot write ${path}: ${whyFileFailed(error)}`, { cause: error });
  }
}
