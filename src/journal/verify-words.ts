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

/**
 * In a sentence each. Of the messages whose words are in the index: the copy gets those of the others first. A table that is
 * damaged says nothing of the others.
 */
export function verifyWords(database: DatabaseSync, { known, maxProblems }: Told): string[] {
  const altered: number[] = [];
  const broken = new Set<string>();
  const trying = (action: () => void) => {
    try {
      action();
    } catch (error) {
      broken.add(inWords(wordsFor(error)));
    }
  };
  trying(() => {
    const indexer = new WordIndexer(database);
    const head = headOf(database);
    while (indexer.step(head));
  });
  trying(() => {
    const isOld = numberOf(database, 'SELECT old_words_up_to FROM meta') > 0;
    if (isOld) database.exec("INSERT INTO message_text (message_text) VALUES ('integrity-check')");
  });
  for (const table of tablesIn(database)) {
    const reason = whyNotWhole(database, table);
    if (reason === undefined || altered.length >= maxProblems) continue;
    trying(() => {
      const ids = whereWordsDiffer(database, { table, limit: maxProblems + known.size });
      // Its own structure, or words of a message that is missing: that is told as such.
      if (ids.length === 0) broken.add(inWords(reason));
      altered.push(...ids.filter((id) => !known.has(id)));
    });
  }
  const named = altered
    .slice(0, maxProblems)
    .map(
      (id) => `Message ${id} has not the words that search has of it: its text is altered in the database, or they are`,
    );
  return [...named, ...broken];
}

function tablesIn(database: DatabaseSync): string[] {
  return slicesIn(database).flatMap((slice) => KINDS.map((kind) => tableOf(kind, slice)));
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
  try {
    database.exec(`
      CREATE VIRTUAL TABLE temp.texts USING fts5 (text, content = '', ${TOKENIZE});
      INSERT INTO temp.texts (rowid, text) SELECT id, text FROM ${table}_text;
      CREATE VIRTUAL TABLE temp.said_words USING fts5vocab ('temp', 'texts', 'instance');
      CREATE VIRTUAL TABLE temp.kept_words USING fts5vocab ('main', '${table}', 'instance');
    `);
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
    for (const made of ['said_words', 'kept_words', 'texts']) database.exec(`DROP TABLE IF EXISTS temp.${made}`);
  }
}
