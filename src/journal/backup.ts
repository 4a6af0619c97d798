// A copy of the journal while a server writes it, or none runs: what was committed when the copy began is in it.

import { closeSync, existsSync, linkSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { backup, type DatabaseSync } from 'node:sqlite';
import { identityOf, numberOf, openForReading, openForWriting } from './database.ts';
import { wordsFor } from './errors.ts';
import { seedOf } from './frame.ts';
import { Indexer } from './indexer.ts';
import { lastOf, LogGap, readSegment } from './log-reader.ts';
import { segmentPath, segmentsOf } from './segment.ts';
import { syncPath } from './sync.ts';

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
    syncPath(dirname(target));
  } catch (error) {
    for (const end of ['', '-journal', '-wal', '-shm']) rmSync(`${unfinished}${end}`, { force: true });
    for (const segment of segmentsOf(unfinished)) rmSync(segmentPath(unfinished, segment), { force: true });
    throw new Error(`${attempt}: ${wordsFor(error)}`, { cause: error });
  }
}

/**
 * To a new file of the user's own, with the schema of this program, on disk when it resolves. What the log holds is in
 * it: its segments are copied first, so whatever the server puts into the database meanwhile is in one of the two.
 */
export async function copyJournal(path: string, to: string): Promise<void> {
  const source = openForReading(resolve(path), { isCurrent: false });
  try {
    closeSync(openSync(to, 'wx', 0o600));
    copySegments(source, resolve(path), to);
    await backup(source, to, { rate: ALL_PAGES });
  } finally {
    source.close();
  }
  const copy = openForWriting(to, { isForLong: false });
  try {
    catchUp(copy, to);
    // One file: whoever reads it in a place that cannot be written needs no other, and none is left beside it.
    copy.exec('PRAGMA journal_mode = DELETE');
  } finally {
    copy.close();
    for (const segment of segmentsOf(to)) rmSync(segmentPath(to, segment));
  }
  syncPath(to);
}

/** Those with messages that the database did not have. */
function copySegments(source: DatabaseSync, path: string, to: string): void {
  const segments = segmentsOf(path);
  if (segments.length === 0) return;
  const seed = seedOf(identityOf(source));
  const head = numberOf(source, 'SELECT max(id) FROM message');
  for (const segment of segments) {
    const bytes = readSegment(path, { segment });
    if (lastOf(bytes, seed) > head) writeFileSync(segmentPath(to, segment), bytes, { flag: 'wx', mode: 0o600 });
  }
}

function catchUp(copy: DatabaseSync, path: string): void {
  const head = numberOf(copy, 'SELECT max(id) FROM message');
  try {
    new Indexer(copy, { path, identity: identityOf(copy), head }).catchUp();
  } catch (error) {
    // A segment was used again while it was copied: what is missing before it is newer than the copy.
    if (!(error instanceof LogGap)) throw error;
  }
}
