// A copy of the journal while a server writes it, or none runs: what was committed when the copy began is in it.

import { existsSync, linkSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { copyJournal, copySalvaged, renewCopy } from './copy.ts';
import { wordsFor } from './errors.ts';
import type { Salvaged } from './salvage.ts';
import { segmentPath, segmentsOf } from './segment.ts';
import { syncPath } from './sync.ts';
import { type Original, problemsIn, verifyJournal } from './verify.ts';

export interface BackupOptions {
  /** What somebody tried, up to the colon. */
  readonly attempt?: string;
  /** Ids that were given after the copy was made are given again: whoever knows them has to know that they are others. */
  readonly isRenewed?: boolean;
}

/**
 * Rejects with an Error in words, which begin with `attempt`. `to` is there whole or not at all, and nothing that was
 * there is overwritten. A copy is looked at as `verifyJournal` does before it is called one.
 */
export async function backupJournal(
  path: string,
  to: string,
  { attempt = `Cannot back up the journal ${path} to ${to}`, isRenewed = false }: BackupOptions = {},
): Promise<void> {
  await makeCopy(to, attempt, async (unfinished) => {
    const upTo = await copyJournal(path, unfinished);
    mustBeWhole(unfinished, { path: resolve(path), upTo });
    if (isRenewed) renewCopy(unfinished);
  });
}

/**
 * What is intact of a journal whose log is damaged, as another journal; its own files stay as they are. No server may run.
 * Rejects as `backupJournal` does.
 */
export async function salvageJournal(path: string, to: string, nowMs: number): Promise<Salvaged> {
  return makeCopy(to, `Cannot save what is intact of the journal ${path} to ${to}`, async (unfinished) => {
    const { salvaged, upTo } = await copySalvaged(path, unfinished, nowMs);
    mustBeWhole(unfinished, { path: resolve(path), upTo });
    // Ids behind the last one may have been given, and nobody knows.
    renewCopy(unfinished);
    return salvaged;
  });
}

/** Whether there is nothing to salvage: a backup has all of it. */
export async function isWhole(path: string): Promise<boolean> {
  return (await verifyJournal(path)).length === 0;
}

function mustBeWhole(copy: string, original: Original): void {
  const [problem] = problemsIn(copy, original);
  if (problem !== undefined) throw new Error(`the copy is not whole: ${problem}`);
}

async function makeCopy<T>(to: string, attempt: string, make: (unfinished: string) => Promise<T>): Promise<T> {
  const target = resolve(to);
  const unfinished = `${target}.unfinished-${process.pid}`;
  if (existsSync(target)) throw new Error(`${attempt}: there is a file already`);
  try {
    const made = await make(unfinished);
    // Unlike a rename, a link never takes the place of something that came meanwhile.
    linkSync(unfinished, target);
    rmSync(unfinished);
    syncPath(dirname(target));
    return made;
  } catch (error) {
    for (const end of ['', '-journal', '-wal', '-shm']) rmSync(`${unfinished}${end}`, { force: true });
    for (const segment of segmentsOf(unfinished)) rmSync(segmentPath(unfinished, segment), { force: true });
    throw new Error(`${attempt}: ${wordsFor(error)}`, { cause: error });
  }
}
