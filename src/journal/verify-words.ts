// Whether the index of words has the words that the messages have, and which messages are at fault if not.

import type { DatabaseSync } from 'node:sqlite';
import { headOf, numberOf } from './database.ts';
import { wordsFor } from './errors.ts';
import { WordIndexer } from './index-words.ts';
import { KINDS, slicesIn, tableOf, TOKENIZE } from './slices.ts';

interface Told {
  /** Messages that are known to be altered: so are their words. */
  readonly known: ReadonlySet<number>;
  readonly maxProblems: number;
}

/** In a sentence each. Of the messages whose words are in the index: the copy gets those of the others first. */
export function verifyWords(database: DatabaseSync, { known, maxProblems }: Told): string[] {
  const altered: number[] = [];
  try {
    const indexer = new WordIndexer(database);
    const head = headOf(database);
    while (indexer.step(head));
    const isOld = numberOf(database, 'SELECT old_words_up_to FROM meta') > 0;
    if (isOld) database.exec("INSERT INTO message_text (message_text) VALUES ('integrity-check')");
    for (const slice of slicesIn(database)) {
      for (const table of KINDS.map((kind) => tableOf(kind, slice))) {
        const reason = whyNotWhole(database, table);
        if (reason === undefined || altered.length >= maxProblems) continue;
        const ids = whereWordsDiffer(database, { table, limit: maxProblems + known.size });
        // Its own structure, or words of a message that is missing: that is told as such.
        if (ids.length === 0) return [inWords(reason)];
        altered.push(...ids.filter((id) => !known.has(id)));
      }
    }
  } catch (error) {
    return [inWords(wordsFor(error))];
  }
  return altered
    .slice(0, maxProblems)
    .map(
      (id) => `Message ${id} has not the words that search has of it: its text is altered in the database, or they are`,
    );
}

function inWords(reason: string): string {
  return `The index of words does not agree with the messages: ${reason}`;
}

function whyNotWhole(database: DatabaseSync, table: string): string | undefined {
  try {
    database.exec(`INSERT INTO ${table} (${table}, rank) VALUES ('integrity-check', 1)`);
    return undefined;
  } catch (error) {
    return wordsFor(error);
  }
}

/** The first messages of a slice whose words are not those in its index, by indexing their texts once more. */
function whereWordsDiffer(database: DatabaseSync, { table, limit }: { table: string; limit: number }): number[] {
  database.exec(`
    CREATE VIRTUAL TABLE temp.texts USING fts5 (text, content = '', ${TOKENIZE});
    INSERT INTO temp.texts (rowid, text) SELECT id, text FROM ${table}_text;
    CREATE VIRTUAL TABLE temp.said_words USING fts5vocab ('temp', 'texts', 'instance');
    CREATE VIRTUAL TABLE temp.kept_words USING fts5vocab ('main', '${table}', 'instance');
  `);
  try {
    const word = 'SELECT term, doc, offset FROM';
    const rows = database
      .prepare(
        `SELECT DISTINCT doc FROM (
           SELECT * FROM (${word} temp.said_words EXCEPT ${word} temp.kept_words)
           UNION ALL SELECT * FROM (${word} temp.kept_words EXCEPT ${word} temp.said_words))
         WHERE doc IN (SELECT id FROM ${table}_text) ORDER BY doc LIMIT ?`,
      )
      .all(limit);
    return rows.map(({ doc }) => Number(doc));
  } finally {
    database.exec('DROP TABLE temp.said_words; DROP TABLE temp.kept_words; DROP TABLE temp.texts');
  }
}
