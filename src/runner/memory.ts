// Where pipes are made if the machine has a file system in memory that everybody may use: a disk would keep books about
// three files a run, which takes longer than the command where they are kept thoroughly. What a runner process makes there is
// called by its mark, which nobody can guess before, and is this user's alone.

import { lstatSync, mkdirSync, rmSync, statfsSync } from 'node:fs';
import { getuid } from 'node:process';
import { codeOf, wordsFor } from './errors.ts';

/** Linux has it there, with glibc and musl alike. */
export const SHARED_MEMORY = '/dev/shm';
/** statfs(2): TMPFS_MAGIC. */
const TMPFS = 0x0102_1994;
const OWNERS_ONLY = 0o700;
/** Everybody may make something there, and nobody removes what is another's. */
const STICKY_FOR_ALL = 0o1777;

/** Undefined: there is none, or none in which a name stays whose it is. */
export function memoryPlace(memory: string, mark: string): string | undefined {
  try {
    const found = lstatSync(memory);
    const isSafe = found.isDirectory() && (found.mode & 0o7777) === STICKY_FOR_ALL && found.uid === 0;
    return isSafe && statfsSync(memory).type === TMPFS ? placeIn(memory, mark) : undefined;
  } catch {
    return undefined;
  }
}

function placeIn(memory: string, mark: string): string {
  return `${memory}/partyline-${mark}`;
}

/** Makes it, unless it is there, or says in a sentence why it cannot be used. The directory around it stays as it is. */
export function claimMemory(path: string): string | undefined {
  try {
    mkdirSync(path, { mode: OWNERS_ONLY });
    return undefined;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') return `Cannot make pipes in ${path}: ${wordsFor(error)}`;
    const found = lstatSync(path, { throwIfNoEntry: false });
    const isOurs = found?.isDirectory() === true && found.uid === getuid?.() && (found.mode & 0o077) === 0;
    return isOurs ? undefined : `Cannot make pipes in ${path}: it is another's`;
  }
}

/** What a runner process had there that nobody is left of. */
export function removeMemory(memory: string, mark: string): void {
  const path = placeIn(memory, mark);
  try {
    if (lstatSync(path).uid === getuid?.()) rmSync(path, { recursive: true, force: true });
  } catch {
    // There was none.
  }
}
