// Whether the records of runs are whole: each entry there, as it was hashed, after the one before it, with what it kept.
// That the last ones are missing, a chain does not show: for that there is a hash that somebody else has kept.

import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import { type Hash, NO_HASH } from '../core/run/record.ts';
import { hexOf } from './chain.ts';
import { digestOfKept, hashOf, type PackedEntry, parseEntry } from './entry.ts';

export interface RecordsSummary {
  readonly entries: number;
  /** What the chain ends with. */
  readonly head: Hash;
}

export interface RecordsVerified extends RecordsSummary {
  /** In a sentence each, so many at most. */
  readonly problems: readonly string[];
}

type Row = Record<string, SQLOutputValue>;

/** `head`: a hash that must be among them. */
export function verifyRecords(
  database: DatabaseSync,
  { head: wanted, maxProblems }: { head: Hash | undefined; maxProblems: number },
): RecordsVerified {
  const problems: string[] = [];
  const seen: Seen = { unended: new Set(), ids: new Set() };
  const kept = database.prepare('SELECT head, tail FROM kept WHERE record = ? AND stream = ?');
  let [before, number, isFound]: [Hash, number, boolean] = [NO_HASH, 0, wanted === undefined || wanted === NO_HASH];
  for (const row of database.prepare('SELECT * FROM record ORDER BY number').iterate()) {
    const at = Number(row['number']);
    const isGap = at !== number + 1;
    if (isGap) problems.push(missing(number + 1, at - 1));
    number = at;
    const hash = hexOf(row['hash']) ?? '';
    const found = differences(row, seen);
    // What follows a gap, or a change, is compared with what stands there: so each is told once.
    if (!isGap && hashOf(before, String(row['entry'])) !== hash) {
      problems.push(`${inWords(row)} is not what it was, or not after the one before it`);
    } else problems.push(...found, ...keptProblems(row, kept));
    before = hash;
    isFound ||= hash === wanted;
    if (problems.length >= maxProblems) break;
  }
  if (problems.length === 0) problems.push(...strays(database, seen.unended));
  if (!isFound && problems.length < maxProblems) {
    problems.push(`No record has the hash ${wanted}: the last ones were taken away, or others put in their place`);
  }
  return { entries: number, head: before, problems: problems.slice(0, maxProblems) };
}

/** `Record 335 (of run 100)`: by the run it is found. Where it is kept is what is still known of one that was changed. */
function inWords({ number, run }: Row, word: 'Record' | 'record' = 'Record'): string {
  return `${word} ${Number(number)} (of run ${Number(run)})`;
}

function missing(from: number, to: number): string {
  return from === to ? `Record ${from} is missing` : `Records ${from} to ${to} are missing`;
}

interface Seen {
  readonly unended: Set<number>;
  readonly ids: Set<number>;
}

/** Columns that say otherwise than their entry would hide it from those who ask. */
function differences(row: Row, { unended, ids }: Seen): string[] {
  const entry = entryIn(row);
  const number = Number(row['number']);
  if (entry?.number !== number || entry.run !== row['run']) return [`${inWords(row)} is kept as another one`];
  const isFirst = !ids.has(entry.run);
  ids.add(entry.run);
  if (entry.type === 'started') unended.add(number);
  if (entry.type === 'ended' && !unended.delete(entry.start)) {
    return [`${inWords(row)} is an end without its start, or the second one`];
  }
  const member = isFirst && entry.type !== 'ended' ? entry.member : null;
  return row['member'] === member ? [] : [`${inWords(row)} is kept as somebody else's`];
}

function entryIn(row: Row): PackedEntry | undefined {
  try {
    return parseEntry(String(row['entry']));
  } catch {
    return undefined;
  }
}

function keptProblems(row: Row, kept: StatementSync): string[] {
  const entry = entryIn(row);
  if (entry?.type !== 'ended' || entry.streams === null) return [];
  const problems: string[] = [];
  for (const stream of ['stdout', 'stderr'] as const) {
    const output = kept.get(entry.number, stream);
    const [head, tail] = [bytesIn(output?.['head']), bytesIn(output?.['tail'])];
    if (digestOfKept({ head, tail }) !== entry.streams[stream].kept || head.length !== entry.streams[stream].head) {
      problems.push(`What ${inWords(row, 'record')} keeps of ${stream} is not what it was`);
    }
  }
  return problems;
}

/** Of no use where records are missing or were changed: it follows from them. */
function strays(database: DatabaseSync, unended: ReadonlySet<number>): string[] {
  const kept = database.prepare('SELECT record FROM unended ORDER BY record').all();
  const found = kept.map(({ record }) => Number(record));
  const isSame = found.length === unended.size && found.every((number) => unended.has(number));
  return isSame ? [] : ['Which runs have no end yet is not what their records say'];
}

function bytesIn(value: SQLOutputValue | undefined): Uint8Array {
  return value instanceof Uint8Array ? value : new Uint8Array(0);
}
