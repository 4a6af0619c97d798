// The directory that holds the pipes: made if need be, kept to this user's eyes, never reached through a link. Whoever
// could put a link there would choose what the server empties and whose rights it changes.

import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { getuid } from 'node:process';
import { codeOf, wordsFor } from './errors.ts';

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;
/** What a server makes in its directory, one for each runner process, and what the next one may remove. */
const PIPES = /^pipes-\d+$/;
const OWNERS_ONLY = 0o700;

/** Makes the directory if it is not there, or says in a sentence why it cannot be used. `purpose`: as in `Cannot make pipes in`. */
export function claimDirectory(directory: string, purpose = 'make pipes'): string | undefined {
  try {
    mkdirSync(directory, { recursive: true, mode: OWNERS_ONLY });
    const opened = openSync(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    try {
      if (getuid !== undefined && fstatSync(opened).uid !== getuid()) {
        return `Cannot ${purpose} in ${directory}: it belongs to another user`;
      }
      fchmodSync(opened, OWNERS_ONLY);
    } finally {
      closeSync(opened);
    }
    return undefined;
  } catch (error) {
    // ELOOP and EMLINK are what open(2) says of a link, ENOENT and EEXIST what mkdir(2) says of one that leads nowhere.
    const stands = lstatSync(directory, { throwIfNoEntry: false });
    const why = stands === undefined || stands.isDirectory() ? wordsFor(error) : 'it is not a directory';
    return `Cannot ${purpose} in ${directory}: ${why}`;
  }
}

/** What an earlier server left there is removed: pipes that nobody reads any more, and nothing else. */
export function emptyDirectory(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (PIPES.test(entry.name) && entry.isDirectory()) {
      rmSync(`${directory}/${entry.name}`, { recursive: true, force: true });
    }
  }
}

/** A place in it where nothing is yet, from a number on; the next number to try comes with it. */
export function freePlace(directory: string, from: number): { path: string; next: number } {
  let number = from;
  while (lstatSync(`${directory}/pipes-${number}`, { throwIfNoEntry: false }) !== undefined) number += 1;
  return { path: `${directory}/pipes-${number}`, next: number + 1 };
}

/** Makes the place of one runner process, and the directory around it, unless they are there. */
export function claimPlace(path: string): string | undefined {
  const refusal = claimDirectory(dirname(path));
  if (refusal !== undefined) return refusal;
  try {
    mkdirSync(path, { mode: OWNERS_ONLY });
    return undefined;
  } catch (error) {
    return codeOf(error) === 'EEXIST' ? claimDirectory(path) : `Cannot make pipes in ${path}: ${wordsFor(error)}`;
  }
}

/** With all its pipes. A mkfifo(1) whose runner process was killed may still be making some: the next server's to remove. */
export function removePlace(path: string): void {
  try {
    if (lstatSync(dirname(path)).isDirectory()) rmSync(path, { recursive: true, force: true });
  } catch {
    // Nobody opens what is left there.
  }
}
