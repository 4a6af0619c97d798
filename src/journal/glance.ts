// What stops a server from starting on a journal, without a copy and without reading every row: whether the pages of the
// database hang together, and whether its log goes on where the database ends.

import { readBacklog } from './backlog.ts';
import { headOf, identityOf, openForReading } from './database.ts';
import { wordsFor } from './errors.ts';
import { seedOf } from './frame.ts';
import { harmTo } from './log-files.ts';
import { segmentsOf } from './segment.ts';
import type { DatabaseSync } from 'node:sqlite';

/** Looks at a log: while a server writes it each finds another end, and damage is at the same place in two. */
const LOOKS = 3;

/** In words; undefined: nothing was seen, which is less than `verifyJournal` says. */
export function glanceAtJournal(path: string): string | undefined {
  try {
    const database = openForReading(path, { isCurrent: false });
    try {
      const pages = String(Object.values(database.prepare('PRAGMA quick_check(1)').get() ?? {})[0]);
      return pages === 'ok' ? wrongInLog(database, path) : `the database is damaged: ${pages}`;
    } finally {
      database.close();
    }
  } catch (error) {
    return error instanceof Error && !('errcode' in error) ? error.message : wordsFor(error);
  }
}

function wrongInLog(database: DatabaseSync, path: string): string | undefined {
  if (segmentsOf(path).length === 0) return undefined;
  const seed = seedOf(identityOf(database));
  let words: string | undefined;
  for (let look = 0; look < LOOKS; look++) {
    const after = headOf(database);
    const before = words;
    words = readBacklog(path, { after, seed }).problem?.words;
    if (words === undefined) return harmTo(path);
    if (words === before) return words;
  }
  return undefined;
}
