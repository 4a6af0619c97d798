// A new file with all that a journal and its log hold, read while a server writes them, or none runs.

import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { backup, type DatabaseSync } from 'node:sqlite';
import { readBacklog } from './backlog.ts';
import { headOf, identityOf, openForReading, openForWriting, renewIdentity } from './database.ts';
import { findFrame, seedOf } from './frame.ts';
import { Indexer } from './indexer.ts';
import { harmTo } from './log-files.ts';
import { firstOf, lastOf, readSegment } from './log-reader.ts';
import { type Salvaged, salvage } from './salvage.ts';
import { segmentPath, segmentsOf } from './segment.ts';
import { syncPath } from './sync.ts';
import { forgetLater } from './witness.ts';

/** One step for all pages: a copy in several begins again whenever the server writes in between. */
const ALL_PAGES = 0x7fff_ffff;

/**
 * To a new file of the user's own, with the schema of this program, on disk when it resolves. What the log holds is in
 * it: its segments are copied first, so whatever the server puts into the database meanwhile is in one of the two.
 * Resolves with the last message that came out of the database itself.
 */
export async function copyJournal(path: string, to: string): Promise<number> {
  const source = openForReading(resolve(path), { isCurrent: false });
  let isStill: boolean;
  try {
    closeSync(openSync(to, 'wx', 0o600));
    isStill = copySegments(source, resolve(path), to);
    await backup(source, to, { rate: ALL_PAGES });
  } finally {
    source.close();
  }
  const copy = openForWriting(to, { isForLong: false });
  let head: number;
  try {
    head = catchUp(copy, to, isStill);
    forgetLater(copy, resolve(path));
    // One file: whoever reads it in a place that cannot be written needs no other, and none is left beside it.
    copy.exec('PRAGMA journal_mode = DELETE');
  } finally {
    copy.close();
    for (const segment of segmentsOf(to)) rmSync(segmentPath(to, segment));
  }
  const harm = harmTo(resolve(path));
  if (harm !== undefined) throw new LogDamage(harm);
  syncPath(to);
  return head;
}

/**
 * The same of a journal that no server writes and whose log is damaged: with what is intact, as another journal, to a new
 * file. Resolves with what that is, and the last message that came out of the database itself.
 */
export async function copySalvaged(
  path: string,
  to: string,
  nowMs: number,
): Promise<{ salvaged: Salvaged; upTo: number }> {
  const source = openForReading(resolve(path), { isCurrent: false });
  try {
    closeSync(openSync(to, 'wx', 0o600));
    await backup(source, to, { rate: ALL_PAGES });
  } finally {
    source.close();
  }
  const copy = openForWriting(to, { isForLong: false });
  try {
    const upTo = headOf(copy);
    const salvaged = salvage(copy, resolve(path), nowMs);
    copy.exec('PRAGMA journal_mode = DELETE');
    return { salvaged, upTo };
  } finally {
    copy.close();
  }
}

/** Its messages' ids may be given again for others: whoever knows one of them is to find out. */
export function renewCopy(path: string): void {
  const copy = openForWriting(path, { isForLong: false });
  try {
    renewIdentity(copy);
    copy.exec('PRAGMA journal_mode = DELETE');
  } finally {
    copy.close();
  }
  syncPath(path);
}

/** Those with messages that the database did not have. False: some was used again meanwhile. */
function copySegments(source: DatabaseSync, path: string, to: string): boolean {
  const segments = segmentsOf(path);
  if (segments.length === 0) return true;
  const seed = seedOf(identityOf(source));
  const head = headOf(source);
  const begun = () => segmentsOf(path).map((segment) => firstOf(path, segment, seed));
  const before = begun();
  for (const segment of segments) {
    const isWanted = (bytes: Buffer, after: number) => findFrame(bytes, { after, seed }) !== undefined;
    let bytes = readSegment(path, { segment });
    // What looks damaged may have been written just then.
    if (isWanted(bytes, Math.max(head, lastOf(bytes, seed)))) bytes = readSegment(path, { segment });
    if (lastOf(bytes, seed) <= head && !isWanted(bytes, head)) continue;
    writeFileSync(segmentPath(to, segment), bytes, { flag: 'wx', mode: 0o600 });
  }
  return begun().join() === before.join();
}

/** Returns the last message that was in it before. Throws an Error in words. */
function catchUp(copy: DatabaseSync, path: string, isStill: boolean): number {
  const after = headOf(copy);
  const identity = identityOf(copy);
  const { ranges, problem } = readBacklog(path, { after, seed: seedOf(identity) });
  // A segment was used again while it was copied: what is missing before it is newer than the copy.
  if (problem !== undefined && (isStill || !problem.isGap)) throw new LogDamage(problem.words);
  const indexer = new Indexer(copy, { path, identity, head: after });
  indexer.add(ranges);
  while (indexer.step());
  indexer.sync();
  return after;
}

/** Acknowledged messages are missing from the log. */
export class LogDamage extends Error {}
