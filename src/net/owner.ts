// The owner token: whoever can read the file is the owner. It never travels: both ends prove that they know it, over
// fresh nonces of both and the address and port that each of them sees, the server first. Somebody who listens on
// another port and passes everything on has no use for what it hears.

import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { normaliseAddress } from './peer.ts';
import { codeOf, whyFileFailed } from './reason.ts';

export const OWNER_TOKEN_FILE = 'owner.token';

/** 256 random bits: nobody guesses them. */
const TOKEN_BYTES = 32;
/** Those bytes in base64url. */
const TOKEN = /^[A-Za-z0-9_-]{43}$/;
/** What somebody has who is not the owner for it. */
const ACCOUNT_TOKEN = /^pl_/;
/** Bytes of the file that are looked at; a token with its line end is 44. */
const MAX_FILE_BYTES = 256;
/** Bytes of a nonce: nobody meets the same one twice. */
const NONCE_BYTES = 32;
/** Of group and others, every bit. */
const OTHERS = 0o077;
/** Milliseconds that a ticket counts: a program that has one connects at once. */
const TICKET_LIFETIME_MS = 10_000;
/** Tickets that wait to be used; more at once are of somebody who does not use them, and the oldest go. */
const MAX_TICKETS = 64;
/** Separates these proofs from every other use of the token; a later scheme has another label. */
const LABEL = 'partyline owner proof 1';

export interface Proven {
  /** Who proves: a proof of one side is worth nothing as the other's. */
  readonly by: 'server' | 'client';
  readonly clientNonce: string;
  readonly serverNonce: string;
  /** The server's end of the connection, as this side sees it. */
  readonly address: string;
  readonly port: number;
}

/** Knows the token without showing it: not in JSON, not when it is inspected. */
export class OwnerToken {
  readonly #text: string;
  /** Digest to when it counts no more. */
  readonly #tickets = new Map<string, number>();

  constructor(text: string) {
    this.#text = text;
  }

  /** Whether the text is the token. Digests are compared, so that neither length nor content shows in the time. */
  matches(text: string): boolean {
    return timingSafeEqual(digest(text), digest(this.#text));
  }

  /** For whoever has proven itself, and comes once more by a protocol without a proof: good for one time, soon. */
  newTicket(nowMs: number): string {
    const [oldest] = this.#tickets.keys();
    if (this.#tickets.size >= MAX_TICKETS && oldest !== undefined) this.#tickets.delete(oldest);
    const ticket = newNonce();
    this.#tickets.set(digest(ticket).toString('hex'), nowMs + TICKET_LIFETIME_MS);
    return ticket;
  }

  /** It is used up by this. */
  useTicket(text: string, nowMs: number): boolean {
    const key = digest(text).toString('hex');
    const expiresMs = this.#tickets.get(key);
    this.#tickets.delete(key);
    return expiresMs !== undefined && nowMs < expiresMs;
  }

  prove({ by, clientNonce, serverNonce, address, port }: Proven): string {
    const said = JSON.stringify([LABEL, by, clientNonce, serverNonce, normaliseAddress(address), port]);
    return createHmac('sha256', this.#text).update(said).digest('base64url');
  }

  verify(proof: string, proven: Proven): boolean {
    return timingSafeEqual(digest(proof), digest(this.prove(proven)));
  }
}

export function newNonce(): string {
  return randomBytes(NONCE_BYTES).toString('base64url');
}

/**
 * Reads the token; a refusal says what is wrong with the file. A server takes none that another user made: whoever made
 * it knows it, and would be the owner.
 */
export function readOwnerToken(path: string, { isServer = false } = {}): OwnerToken | { refused: string } {
  const no = (why: string) => ({ refused: `Cannot use the owner token ${path}: ${why}` });
  let descriptor: number;
  try {
    // Not blocking: a pipe in its place must not hang the one who opens it.
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    return no(whyFileFailed(error));
  }
  try {
    const file = fstatSync(descriptor);
    if (!file.isFile()) return no('it is not a file');
    if (process.platform !== 'win32' && (file.mode & OTHERS) !== 0) {
      return no(`others may read it (mode ${(file.mode & 0o777).toString(8).padStart(4, '0')}); it must be 0600`);
    }
    if (isServer && process.geteuid !== undefined && file.uid !== process.geteuid() && file.uid !== 0) {
      return no(`it belongs to another user (id ${file.uid})`);
    }
    const bytes = Buffer.alloc(MAX_FILE_BYTES);
    const text = bytes.toString('latin1', 0, readSync(descriptor, bytes)).replace(/\r?\n$/, '');
    if (TOKEN.test(text)) return new OwnerToken(text);
    return no(ACCOUNT_TOKEN.test(text) ? 'it holds the token of an account' : 'it does not hold a token');
  } catch (error) {
    return no(whyFileFailed(error));
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Reads the token of a server's directory, and makes it first if there is none. Throws an Error whose message says
 * what is wrong. However many start at once, all come out with the same token.
 */
export async function ensureOwnerToken(directory: string): Promise<OwnerToken> {
  const path = join(directory, OWNER_TOKEN_FILE);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (!existsSync(path)) create(path);
  const token = readOwnerToken(path, { isServer: true });
  if ('refused' in token) throw new Error(token.refused);
  return token;
}

/** Written whole beside its place, then linked there: it appears complete, once, or was there already. */
function create(path: string): void {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    const descriptor = openSync(draft, 'wx', 0o600);
    try {
      writeSync(descriptor, `${randomBytes(TOKEN_BYTES).toString('base64url')}\n`);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    linkSync(draft, path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST')
      throw new Error(`Cannot make the owner token ${path}: ${whyFileFailed(error)}`, { cause: error });
  } finally {
    unlinkQuietly(draft);
  }
}

function unlinkQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
