// Files of the user's own: how they are read, and what went wrong with one in words.

import { closeSync, constants, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { reasonOf } from '../reason.ts';

export interface OwnFile {
  /** Of the rights of group and others, those that make the file one that cannot be relied on; `verb` says what they are. */
  readonly others: number;
  readonly verb: 'read' | 'write to';
  /** Bytes that are looked at; all of them without it. */
  readonly maxBytes?: number;
}

/** Undefined: there is none. */
export function readOwnFile(path: string, { others, verb, maxBytes }: OwnFile): string | { why: string } | undefined {
  let descriptor: number;
  try {
    // Not blocking: a pipe in its place must not hang us.
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? undefined : { why: wordsFor(error) };
  }
  try {
    const file = fstatSync(descriptor);
    if (!file.isFile()) return { why: 'it is not a file' };
    if (process.platform !== 'win32' && (file.mode & others) !== 0) {
      const shown = (file.mode & 0o777).toString(8).padStart(4, '0');
      return { why: `others may ${verb} it (mode ${shown}); it must be 0600` };
    }
    if (maxBytes === undefined) return readFileSync(descriptor, 'utf8');
    const bytes = Buffer.alloc(maxBytes);
    return bytes.toString('utf8', 0, readSync(descriptor, bytes));
  } catch (error) {
    return { why: wordsFor(error) };
  } finally {
    closeSync(descriptor);
  }
}

const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is not a file',
  ENXIO: 'it is not a file',
  ENOENT: 'its directory does not exist',
  ENOTDIR: 'its directory is not one',
  EEXIST: 'its directory is not one',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space is left',
};

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

export function wordsFor(error: unknown): string {
  return WORDS[codeOf(error)] ?? reasonOf(error);
}
