// One server for one directory, and one machine. The lock is SQLite's on a file there: the kernel lets go of it when the process ends,
// however it ends, so nothing is left to clean up after a `kill -9`. Node has no flock(2) of its own.

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makeDirectory, removeMade } from './directory.ts';
import { reasonOf } from '../reason.ts';

export interface Lock {
  release(): void;
  /** Releases it, and removes the directory with all that is in it if it was made for the lock. */
  discard(): void;
}

/** What a directory is for: the file that is locked there, and the words for it. A directory may be for both. */
const PURPOSES = {
  server: { file: 'lock', what: "the server's data", taken: 'another server uses it' },
  machine: {
    file: 'host-lock',
    what: "the machine's state",
    taken:
      'another partyline join uses it; nothing was joined, and PARTYLINE_DATA gives this one a directory of its own',
  },
} as const;

/** Another program uses the directory. */
export class TakenError extends Error {}

/** Makes the directory (0700) where it is missing. Throws an Error whose message is the whole story. */
export function lockDirectory(directory: string, purpose: keyof typeof PURPOSES = 'server'): Lock {
  const { file, what, taken } = PURPOSES[purpose];
  const attempt = `Cannot use ${directory} for ${what}`;
  let made: string[];
  try {
    made = makeDirectory(directory);
  } catch (error) {
    throw new Error(`${attempt}: ${wordsFor(error)}`, { cause: error });
  }
  const unsafe = whyUnsafe(statSync(directory));
  if (unsafe !== undefined) throw new Error(`${attempt}: ${unsafe}`);
  let database: DatabaseSync;
  try {
    database = new DatabaseSync(join(directory, file));
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    const isTaken = error instanceof Error && /locked|busy/.test(error.message);
    // Who makes it is not always who locks it first.
    if (isTaken) throw new TakenError(`${attempt}: ${taken}`, { cause: error });
    removeMade(made);
    throw new Error(`${attempt}: ${wordsFor(error)}`, { cause: error });
  }
  return {
    release: () => database.close(),
    discard: () => {
      // While it is locked: no other server starts on what is about to go.
      removeMade(made);
      database.close();
    },
  };
}

/** Of group and others, the right to write. */
const OTHERS_WRITE = 0o022;

/** Whoever may write there could put in a token of their own, and be the owner. */
function whyUnsafe({ uid, mode }: { uid: number; mode: number }): string | undefined {
  const own = process.geteuid?.();
  if (own === undefined) return undefined;
  if (uid !== own && uid !== 0) return `it belongs to another user (id ${uid})`;
  const shown = (mode & 0o777).toString(8).padStart(4, '0');
  return (mode & OTHERS_WRITE) === 0 ? undefined : `others may write there (mode ${shown})`;
}

const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  ENOENT: 'it cannot be made there',
  ENOTDIR: 'it is not a directory',
  EEXIST: 'it is not a directory',
  EROFS: 'it is on a read-only file system',
  ENOSPC: 'no space is left',
};

function wordsFor(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return WORDS[code] ?? reasonOf(error);
}
