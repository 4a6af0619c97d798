// A journal that lacks messages which were accepted, or may have been, goes on as another one: what clients know of its ids
// may be of those.

import { unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { headOf, openForWriting, renewIdentity } from './database.ts';
import { segmentPath, segmentsOf } from './segment.ts';
import { syncPath } from './sync.ts';
import { syncWrites } from './transaction.ts';

/**
 * Only where the database has all that its log holds, and nobody else has it open. Ids go on behind `upTo`. The id that comes
 * next; throws what SQLite and the files say, and the journal can be opened then as before.
 */
export function beginAnew(path: string, { upTo, nowMs }: { readonly upTo: number; readonly nowMs: number }): number {
  const database = openForWriting(path, { isForLong: false });
  try {
    const head = headOf(database);
    if (upTo > head) database.prepare('INSERT INTO lost VALUES (?, ?, ?)').run(head + 1, upTo, nowMs);
    // On disk before the log goes, and that before the new identity comes: its files would be another journal's.
    syncWrites(database);
    for (const segment of segmentsOf(path)) unlinkSync(segmentPath(path, segment));
    syncPath(dirname(path));
    renewIdentity(database);
    // As a copy: that it has no log means nothing.
    database.exec('PRAGMA journal_mode = DELETE');
    return headOf(database) + 1;
  } finally {
    database.close();
  }
}
