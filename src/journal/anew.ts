// A journal that lacks messages which were accepted, or may have been, goes on as another one: what clients know of its ids
// may be of those.

import { headOf, openForWriting, renewIdentity } from './database.ts';
import { wordsFor } from './errors.ts';
import { emptyLog } from './segment.ts';
import { inTransaction } from './transaction.ts';

/** `noted`: ids go on with `next`, and the database knows that it is to be another one. `unchanged`: nothing has happened. */
export type Outcome =
  | { readonly is: 'another'; readonly next: number }
  | { readonly is: 'noted'; readonly next: number; readonly failed: string }
  | { readonly is: 'unchanged'; readonly failed: string };

interface Doubted {
  /** In sentences. */
  readonly doubt: string;
  /** Ids go on behind this one. */
  readonly upTo: number;
  readonly nowMs: number;
}

/**
 * Only where the database has all that its log holds, and nobody else has it open. Wherever it ends the journal can be opened
 * then, and once it is noted it is doubted until it is another one.
 */
export function beginAnew(path: string, { doubt, upTo, nowMs }: Doubted): Outcome {
  let next: number | undefined;
  try {
    const database = openForWriting(path, { isForLong: false });
    try {
      // On disk, with all that came out of the log, before the log goes.
      next = inTransaction(database, () => {
        const head = headOf(database);
        if (upTo > head) database.prepare('INSERT INTO lost VALUES (?, ?, ?)').run(head + 1, upTo, nowMs);
        // The first one is kept: with each start that fails there may be more to say, without end.
        database.prepare('UPDATE log SET doubt = ifnull(doubt, ?)').run(doubt);
        return headOf(database) + 1;
      });
      // Before the new identity comes: what it holds would be another journal's.
      emptyLog(path);
      renewIdentity(database);
      return { is: 'another', next };
    } finally {
      database.close();
    }
  } catch (error) {
    const failed = wordsFor(error);
    return next === undefined ? { is: 'unchanged', failed } : { is: 'noted', next, failed };
  }
}
