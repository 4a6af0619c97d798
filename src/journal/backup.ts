// A copy of the journal while a server writes it, or none runs: what was committed when the copy began is in it.

import { chmodSync, closeSync, existsSync, fsyncSync, linkSync, openSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { backup } from 'node:sqlite';
import { openForReading } from './database.ts';
import { wordsFor } from './errors.ts';

/** One step for all pages: a copy in several begins again whenever the server writes in between. */
const ALL_PAGES = 0x7fff_ffff;

/** Rejects with an Error in words. `to` is there whole or not at all, and nothing that was there is overwritten. */
export async function backupJournal(path: string, to: string): Promise<void> {
  const attempt = `Cannot back up the journal ${path} to ${to}`;
  const target = resolve(to);
  const unfinished = `${target}.unfinished-${process.pid}`;
  if (existsSync(target)) throw new Error(`${attempt}: there is a file already`);
  try {
    await copyJournal(path, unfinished);
    // Unlike a rename, a link never takes the place of something that came meanwhile.
    linkSync(unfinished, target);
    rmSync(unfinished);
    sync(dirname(target));
  } catch (error) {
    for (const end of ['', '-journal', '-wal', '-shm']) rmSync(`${unfinished}${end}`, { force: true });
    throw new Error(`${attempt}: ${wordsFor(error)}`, { cause: error });
  }
}

/** To a new file of the user's own, on disk when it resolves. */
export async function copyJournal(path: string, to: string): Promise<void> {
  const source = openForReading(resolve(path));
  try {
    closeSync(openSync(to, 'wx', 0o600));
    await backup(source, to, { rate: ALL_PAGES });
  } finally {
    source.close();
  }
  chmodSync(to, 0o600);
  sync(to);
}

function sync(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
