// A machine that has joined shows that it is the one by a key of its own (Ed25519, RFC 8032), which never leaves it: it
// signs fresh nonces of both ends. Towards loopback, where there is no TLS whose key is pinned, it signs the address and
// port of the server too: somebody who listens on another port and passes everything on has no use for what it hears.

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { normaliseAddress } from './peer.ts';
import { reasonOf } from '../reason.ts';

/** In the machine's state directory. */
export const MACHINE_KEY_FILE = 'machine.key';

/** Separates these signatures from every other use of the key; a later scheme has another label. */
const LABEL = 'partyline machine proof 1';
/** Of group and others, every bit. */
const OTHERS = 0o077;

export interface MachineProven {
  readonly clientNonce: string;
  readonly serverNonce: string;
  /** The server's end of a connection over loopback; undefined: TLS says who the server is. */
  readonly server: { readonly address: string; readonly port: number } | undefined;
}

export class MachineKey {
  readonly #key: KeyObject;
  /** SubjectPublicKeyInfo (RFC 8410) in base64url. */
  readonly publicKey: string;

  constructor(pem: string) {
    this.#key = createPrivateKey(pem);
    if (this.#key.asymmetricKeyType !== 'ed25519') throw new Error('it is no Ed25519 key');
    this.publicKey = createPublicKey(this.#key).export({ type: 'spki', format: 'der' }).toString('base64url');
  }

  /** In base64url. */
  prove(proven: MachineProven): string {
    return sign(null, said(proven), this.#key).toString('base64url');
  }
}

/** Never throws: what is no key or no signature does not verify. */
export function verifyMachine(publicKey: string, proof: string, proven: MachineProven): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey, 'base64url'), type: 'spki', format: 'der' });
    return key.asymmetricKeyType === 'ed25519' && verify(null, said(proven), key, Buffer.from(proof, 'base64url'));
  } catch {
    return false;
  }
}

/** What is kept of a machine's key. No token's digest begins so: a public key is no secret, and comes in nowhere. */
export function keptOfKey(publicKey: string): string {
  return `key:${createHash('sha256').update(Buffer.from(publicKey, 'base64url')).digest('base64url')}`;
}

/** Reads the key, and makes it first if there is none. Throws an Error whose message is the whole story. */
export function ensureMachineKey(path: string): MachineKey {
  try {
    return new MachineKey(read(path) ?? create(path));
  } catch (error) {
    const why = reasonOf(error);
    throw new Error(`Cannot use this machine's key ${path}: ${why}`, { cause: error });
  }
}

function said({ clientNonce, serverNonce, server }: MachineProven): Buffer {
  const where = server === undefined ? 'tls' : [normaliseAddress(server.address), server.port];
  return Buffer.from(JSON.stringify([LABEL, clientNonce, serverNonce, where]));
}

function read(path: string): string | undefined {
  const file = statSync(path, { throwIfNoEntry: false });
  if (file === undefined) return undefined;
  if (!file.isFile()) throw new Error('it is not a file');
  if (process.platform !== 'win32' && (file.mode & OTHERS) !== 0) {
    throw new Error(`others may read it (mode ${(file.mode & 0o777).toString(8).padStart(4, '0')}); it must be 0600`);
  }
  return readFileSync(path, 'utf8');
}

/** Written whole beside its place, then linked there: two that start at once come out with one key. */
function create(path: string): string {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  const descriptor = openSync(draft, 'wx', 0o600);
  try {
    writeSync(descriptor, pem);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  try {
    linkSync(draft, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    unlinkSync(draft);
  }
  return readFileSync(path, 'utf8');
}
