// Whether a journal is whole. A copy is looked at: asking the index of words whether it agrees takes the lock that a
// server writes with, and a copy stands still. It needs as much space as the journal, beside it, for the time.

import { mkdtempSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Hash } from '../core/run/record.ts';
import { misplaced, strayFiles } from './backlog.ts';
import { copyJournal, LogDamage } from './copy.ts';
import { identityOf, numberOf } from './database.ts';
import { differences } from './differences.ts';
import { wordsFor } from './errors.ts';
import { seedOf } from './frame.ts';
import { WordIndexer } from './index-words.ts';
import { type RecordsSummary, verifyRecords } from './verify-records.ts';

export interface VerifyOptions {
  /** The hash of a record that must be there. */
  readonly head?: Hash;
  readonly onRecords?: (records: RecordsSummary) => void;
}

/** What is wrong, a sentence each; empty: nothing. */
export async function verifyJournal(path: string, options: VerifyOptions = {}): Promise<string[]> {
  const wrong = misplaced(resolve(path));
  if (wrong !== undefined) return [`Cannot verify the journal ${path}: ${wrong}`];
  let directory: string;
  try {
    directory = mkdtempSync(join(dirname(resolve(path)), 'verify-'));
  } catch (error) {
    return [`Cannot copy the journal ${path} to verify it: ${wordsFor(error)}`];
  }
  try {
    const copy = join(directory, 'journal');
    const upTo = await copyJournal(path, copy);
    return problemsIn(copy, { ...options, path, upTo });
  } catch (error) {
    if (error instanceof LogDamage) return [`The journal is damaged: ${error.message}`];
    return [error instanceof Error && !('errcode' in error) ? error.message : `The journal: ${wordsFor(error)}`];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export interface Original extends VerifyOptions {
  /** Of the journal, whose log is compared with the copy. */
  readonly path: string;
  /** The last message that came out of its database. */
  readonly upTo: number;
}

/** The same of a copy, which gets the words of its messages into its index on the way. Throws what SQLite throws. */
export function problemsIn(copy: string, { head, onRecords, ...original }: Original): string[] {
  const database = new DatabaseSync(copy);
  try {
    const different = differences(database, original).take(MAX_TOLD);
    const { problems, ...records } = verifyRecords(database, { head, maxProblems: MAX_TOLD });
    onRecords?.(records);
    return [...different, ...strays(database, original.path), ...problemsOf(database), ...problems];
  } finally {
    database.close();
  }
}

/** What a start would refuse, though the journal itself may be whole. */
function strays(database: DatabaseSync, path: string): string[] {
  const head = numberOf(database, 'SELECT max(id) FROM message');
  const files = strayFiles(path, { head, seed: seedOf(identityOf(database)) });
  return files.map((file) => `${file} is of another journal: move it away, or put its own database there`);
}

/** Problems told of a kind: the first ones say what happened. */
const MAX_TOLD = 10;

function problemsOf(database: DatabaseSync): string[] {
  const broken = database
    .prepare(`PRAGMA integrity_check(${MAX_TOLD})`)
    .all()
    .map((row) => `The database is damaged: ${String(row['integrity_check'])}`)
    .filter((problem) => !problem.endsWith(': ok'));
  const homeless = database
    .prepare('PRAGMA foreign_key_check')
    .all()
    .slice(0, MAX_TOLD)
    .map((row) => `A row of ${String(row['table'])} belongs to a row of ${String(row['parent'])} that is missing`);
  return [...broken, ...homeless, ...gaps(database), ...parties(database), ...words(database)];
}

function gaps(database: DatabaseSync): string[] {
  const count = numberOf(database, 'SELECT count(*) FROM message');
  const head = numberOf(database, 'SELECT max(id) FROM message');
  return count === head ? [] : [`Messages are missing: there are ${count}, and the last one is ${head}`];
}

function parties(database: DatabaseSync): string[] {
  const told = (sql: string, words: string) =>
    database
      .prepare(`${sql} LIMIT ${MAX_TOLD}`)
      .all()
      .map(({ id }) => `Message ${String(id)} ${words}`);
  return [
    // Recipients are kept by member: one pass over them all, not a search for each message.
    ...told(
      `SELECT id FROM message WHERE sent_as <> 'broadcast' AND instr(addressed, '"#') = 0
         EXCEPT SELECT message FROM recipient`,
      'has no recipient',
    ),
    ...told('SELECT id FROM message WHERE sender > 0 AND sender NOT IN (SELECT id FROM account)', 'has no sender'),
    ...told(
      `SELECT DISTINCT message AS id FROM recipient WHERE member > 0 AND member NOT IN (SELECT id FROM account)`,
      'has a recipient whom there is not',
    ),
  ];
}

/** Of the messages whose words are in the index: the copy gets those of the others first. */
function words(database: DatabaseSync): string[] {
  try {
    const indexer = new WordIndexer(database);
    const head = numberOf(database, 'SELECT max(id) FROM message');
    while (indexer.step(head));
    database.exec("INSERT INTO message_text (message_text, rank) VALUES ('integrity-check', 1)");
    return [];
  } catch (error) {
    return [`The index of words does not agree with the messages: ${wordsFor(error)}`];
  }
}
