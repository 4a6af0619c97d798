// Whether a journal is whole. A copy is looked at: asking the index of words whether it agrees takes the lock that a
// server writes with, and a copy stands still. It needs as much space as the journal, beside it, for the time.

import { mkdtempSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Hash } from '../core/run/record.ts';
import { misplaced, strayFiles } from './backlog.ts';
import { copyJournal, LogDamage } from './copy.ts';
import { doubtOf, headOf, identityOf, numberOf, openForReading } from './database.ts';
import { alteredIn, differences } from './differences.ts';
import { wordsFor } from './errors.ts';
import { seedOf } from './frame.ts';
import { doubtsAbout, lacksLog } from './log-files.ts';
import type { Ids } from './salvage.ts';
import { type RecordsSummary, verifyRecords } from './verify-records.ts';
import { verifyWords } from './verify-words.ts';
import { witnessedIn, wordsForWitnessed } from './witness.ts';

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
    const isLogMissing = lacksLog(resolve(path));
    const upTo = await copyJournal(path, copy);
    const problems = problemsIn(copy, { ...options, path, upTo });
    return [...doubts(path, { copy, isLogMissing }), ...problems];
  } catch (error) {
    if (error instanceof LogDamage) return [`The journal is damaged: ${error.message}`];
    return [error instanceof Error && !('errcode' in error) ? error.message : `The journal: ${wordsFor(error)}`];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function doubts(path: string, { copy, isLogMissing }: { copy: string; isLogMissing: boolean }): string[] {
  const database = openForReading(copy);
  try {
    const [seed, head] = [seedOf(identityOf(database)), headOf(database)];
    const found = doubtsAbout(path, { seed, head, isLogMissing, noted: doubtOf(database) });
    return [...found.map(({ words }) => words), ...alteredIn(path, { seed, upTo: head }).take(MAX_TOLD)];
  } finally {
    database.close();
  }
}

/** What a copy lacks because it is what was saved of a damaged journal. Throws an Error in words. */
export function lostFrom(path: string): Ids[] {
  const database = openForReading(path, { isCurrent: false });
  try {
    if (numberOf(database, "SELECT count(*) FROM sqlite_schema WHERE name = 'lost'") === 0) return [];
    const rows = database.prepare('SELECT first, last FROM lost ORDER BY first').all();
    return rows.map(({ first, last }) => ({ first: Number(first), last: Number(last) }));
  } finally {
    database.close();
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
    const different = [...differences(database, original).take(MAX_TOLD)];
    const { problems, ...records } = verifyRecords(database, { head, maxProblems: MAX_TOLD });
    onRecords?.(records);
    const known = new Set(different.map(({ id }) => id));
    return [
      ...different.map(({ words }) => words),
      ...strays(database, original.path),
      ...problemsOf(database),
      ...verifyWords(database, { known, maxProblems: MAX_TOLD - known.size }),
      ...problems,
    ];
  } finally {
    database.close();
  }
}

/** What a start would refuse, though the journal itself may be whole. */
function strays(database: DatabaseSync, path: string): string[] {
  const head = headOf(database);
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
  return [...broken, ...homeless, ...gaps(database), ...told(database), ...parties(database), ...heard(database)];
}

/** What is known to be lost is not missing. */
function gaps(database: DatabaseSync): string[] {
  const count = numberOf(database, 'SELECT count(*) FROM message');
  const lost = numberOf(database, 'SELECT sum(last - first + 1) FROM lost');
  const head = headOf(database);
  if (count + lost === head) return [];
  const missing = database
    .prepare(
      `SELECT last + 1 AS first, next - 1 AS last FROM (
         SELECT last, lead(first) OVER (ORDER BY first) AS next FROM (
           SELECT 0 AS first, 0 AS last UNION ALL SELECT id, id FROM message UNION ALL SELECT first, last FROM lost))
         WHERE next > last + 1 LIMIT ${MAX_TOLD}`,
    )
    .all()
    .map(({ first, last }) => (first === last ? String(first) : `${String(first)} to ${String(last)}`));
  const which = missing.length === 0 ? '' : `, without ${missing.join(', ')}`;
  return [`Messages are missing: there are ${count}, and the last one is ${head}${which}`];
}

/** What somebody was told of, and is not there. */
function told(database: DatabaseSync): string[] {
  const words = wordsForWitnessed(witnessedIn(database), headOf(database));
  return words === undefined ? [] : [words];
}

function parties(database: DatabaseSync): string[] {
  const found = (sql: string, words: string) =>
    database
      .prepare(`${sql} LIMIT ${MAX_TOLD}`)
      .all()
      .map(({ id }) => `Message ${String(id)} ${words}`);
  return [
    // Recipients are kept by member: one pass over them all, not a search for each message.
    ...found(
      `SELECT id FROM message WHERE sent_as <> 'broadcast' AND instr(addressed, '"#') = 0
         EXCEPT SELECT message FROM recipient`,
      'has no recipient',
    ),
    ...found('SELECT id FROM message WHERE sender > 0 AND sender NOT IN (SELECT id FROM account)', 'has no sender'),
    ...found(
      `SELECT DISTINCT message AS id FROM recipient WHERE member > 0 AND member NOT IN (SELECT id FROM account)`,
      'has a recipient whom there is not',
    ),
  ];
}

/** What accounts may see of what was said to groups, counted by message and by stretch. */
function heard(database: DatabaseSync): string[] {
  // Some accounts have no stretches of what is older yet.
  if (numberOf(database, 'SELECT heard_above FROM meta') > 0) return [];
  const byMessage = numberOf(
    database,
    `WITH g AS MATERIALIZED (SELECT peer, message FROM talk WHERE member = 0)
       SELECT count(*) FROM (
         SELECT r.member, g.peer, g.message FROM recipient r CROSS JOIN g ON g.message = r.message WHERE r.member > 0
         UNION SELECT m.sender, g.peer, g.message FROM g CROSS JOIN message m ON m.id = g.message WHERE m.sender > 0)`,
  );
  const byStretch = numberOf(
    database,
    `SELECT sum((SELECT count(*) FROM talk t WHERE t.member = 0 AND t.peer = h.peer AND t.message BETWEEN h.first AND h.last))
       FROM heard h WHERE h.member > 0`,
  );
  if (byMessage === byStretch) return [];
  return [`What was said to groups is heard ${byMessage} times, and the histories of groups show ${byStretch} of them`];
}
