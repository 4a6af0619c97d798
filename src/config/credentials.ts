// The tokens that a client keeps, one for each server, each in a file of its own: two logins at once never undo each other.

import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { makeDirectory } from './directory.ts';
import { codeOf, readOwnFile, wordsFor } from './files.ts';

/** In the state directory. */
const TOKENS = 'tokens';
/** Bytes of a file that are looked at; a token, a name and a label take a few hundred. */
const MAX_FILE_BYTES = 4_096;
/** Of group and others, every bit. */
const OTHERS = 0o077;

export interface StoredCredential {
  /** Whose it is. */
  readonly name: string;
  readonly token: string;
  /** What the server calls the token, so that it is found there again. */
  readonly label: string;
}

type Refused = { readonly refused: string };

/** Where the token for a server, `HOST:PORT`, is kept. Colons are no part of a file's name everywhere. */
export function credentialPath(directory: string, server: string): string {
  return join(directory, TOKENS, encodeURIComponent(server));
}

/** Undefined: there is none. */
export function readCredential(directory: string, server: string): StoredCredential | Refused | undefined {
  const path = credentialPath(directory, server);
  const text = readSecretFile(path);
  if (text === undefined || typeof text === 'object') return text;
  const stored = parse(text);
  return stored ?? { refused: `Cannot use the token in ${path}: it is damaged; log in again` };
}

/** The text of a file that only its owner may read; undefined: there is none. */
export function readSecretFile(path: string): string | Refused | undefined {
  const text = readOwnFile(path, { others: OTHERS, verb: 'read', maxBytes: MAX_FILE_BYTES });
  return typeof text === 'object' ? { refused: `Cannot use the token in ${path}: ${text.why}` } : text?.trim();
}

/** Written whole beside its place, then renamed: it is there complete, or as it was. Throws an Error in words. */
export function writeCredential(directory: string, server: string, credential: StoredCredential): void {
  const path = credentialPath(directory, server);
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    makeDirectory(dirname(path));
    const descriptor = openSync(draft, 'wx', 0o600);
    try {
      writeSync(descriptor, `${JSON.stringify(credential)}\n`);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(draft, path);
  } catch (error) {
    removeQuietly(draft);
    throw new Error(`Cannot keep the token in ${path}: ${wordsFor(error)}`, { cause: error });
  }
}

/** A file that is the user's own and waits for its secret. */
export interface SecretFile {
  /** All of it, on disk when it returns. Throws an Error in words. */
  write(text: string): void;
  remove(): void;
}

/** Throws an Error in words; what is there stays as it is. */
export function newSecretFile(path: string): SecretFile {
  const no = (why: string, cause: unknown) => new Error(`Cannot make a token in ${path}: ${why}`, { cause });
  let descriptor: number;
  try {
    descriptor = openSync(path, 'wx', 0o600);
  } catch (error) {
    throw no(codeOf(error) === 'EEXIST' ? 'there is a file already' : wordsFor(error), error);
  }
  return {
    write(text) {
      try {
        writeSync(descriptor, text);
        fsyncSync(descriptor);
        closeSync(descriptor);
      } catch (error) {
        throw no(wordsFor(error), error);
      }
    },
    remove: () => removeQuietly(path),
  };
}

/** Throws an Error in words. */
export function removeCredential(directory: string, server: string): void {
  const path = credentialPath(directory, server);
  try {
    rmSync(path, { force: true });
  } catch (error) {
    throw new Error(`Cannot remove the token in ${path}: ${wordsFor(error)}`, { cause: error });
  }
}

function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // What went wrong before is what is told.
  }
}

function parse(text: string): StoredCredential | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { name, token, label }: { name?: unknown; token?: unknown; label?: unknown } = value;
  const isWhole = typeof name === 'string' && typeof token === 'string' && typeof label === 'string';
  return isWhole ? { name, token, label } : undefined;
}
