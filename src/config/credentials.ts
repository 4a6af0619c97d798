// The tokens that a client keeps, one for each server, each in a file of its own: two logins at once never undo each other.

import { closeSync, constants, fstatSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { makeDirectory } from './directory.ts';

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
  const no = (why: string): Refused => ({ refused: `Cannot use the token in ${path}: ${why}` });
  let descriptor: number;
  try {
    // Not blocking: a pipe in its place must not hang us.
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? undefined : no(wordsFor(error));
  }
  try {
    const file = fstatSync(descriptor);
    if (!file.isFile()) return no('it is not a file');
    if (process.platform !== 'win32' && (file.mode & OTHERS) !== 0) {
      return no(`others may read it (mode ${(file.mode & 0o777).toString(8).padStart(4, '0')}); it must be 0600`);
    }
    const bytes = Buffer.alloc(MAX_FILE_BYTES);
    return bytes.toString('utf8', 0, readSync(descriptor, bytes)).trim();
  } catch (error) {
    return no(wordsFor(error));
  } finally {
    closeSync(descriptor);
  }
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

const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is not a file',
  ENXIO: 'it is not a file',
  ENOTDIR: 'its directory is not one',
  EEXIST: 'its directory is not one',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space is left',
};

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function wordsFor(error: unknown): string {
  return WORDS[codeOf(error)] ?? (error instanceof Error ? error.message : String(error));
}
