// The index of words: what was said to all and what was said to some, each in slices of so many messages. FTS5 gathers
// all messages with any word of a beginning before it finds the first: of a slice that is soon done. And what some say
// to each other is passed by where it was not said to whoever asks, without looking at each.

import type { DatabaseSync } from 'node:sqlite';

/** How texts become words. */
export const TOKENIZE = "tokenize = 'unicode61 remove_diacritics 2'";

/** To all, or to some. */
export type Kind = 'said' | 'told';
export const KINDS = ['said', 'told'] as const satisfies readonly Kind[];

const OF_KIND: Readonly<Record<Kind, string>> = { said: "sent_as = 'broadcast'", told: "sent_as <> 'broadcast'" };

export function tableOf(kind: Kind, slice: number): string {
  return `${kind}_${slice}`;
}

/** The first message of a slice, and the first that is behind it. */
export function partOf(slice: number, size: number): { from: number; to: number } {
  return { from: slice * size + 1, to: (slice + 1) * size + 1 };
}

export function sliceOf(id: number, size: number): number {
  return Math.floor((id - 1) / size);
}

/** The view is what the words are taken from: FTS5 reads it for a snippet, and to be held against it. */
export function makeSlice(database: DatabaseSync, slice: number, size: number): void {
  const { from, to } = partOf(slice, size);
  for (const kind of KINDS) {
    const table = tableOf(kind, slice);
    database.exec(`
      CREATE VIEW IF NOT EXISTS ${table}_text AS SELECT id, text FROM message
        WHERE ${OF_KIND[kind]} AND id >= ${from} AND id < ${to}
          AND id > (SELECT old_words_up_to FROM meta) AND id <= (SELECT words_up_to FROM meta);
      CREATE VIRTUAL TABLE IF NOT EXISTS ${table} USING fts5 (
        text, content = '${table}_text', content_rowid = 'id', columnsize = 0,
        ${TOKENIZE}
      );
    `);
  }
}

/** Puts the words of the messages from `?` to `?`, both included, into a slice that holds them all. */
export function fillSlice(kind: Kind, slice: number): string {
  return `INSERT INTO ${tableOf(kind, slice)} (rowid, text)
    SELECT id, text FROM message WHERE id BETWEEN ? AND ? AND ${OF_KIND[kind]}`;
}

/** All slices that there are, newest first. */
export function slicesIn(database: DatabaseSync): number[] {
  return database
    .prepare(
      `SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB 'said_*' AND sql LIKE 'CREATE VIRTUAL%'`,
    )
    .all()
    .map(({ name }) => Number(String(name).slice('said_'.length)))
    .sort((a, b) => b - a);
}
