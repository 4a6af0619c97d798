import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { MIGRATIONS } from './migrations/list.ts';
import { BEHIND, FEED, historyOf, OLD_SEARCH, OWN, searchIn, WITHS } from './query.ts';
import { makeSlice } from './slices.ts';

const QUERIES = [
  BEHIND,
  FEED,
  OLD_SEARCH,
  OWN,
  searchIn(0, 'mask'),
  searchIn(0, 'rows'),
  ...WITHS.flatMap((which) => [historyOf(which, 'ASC'), historyOf(which, 'DESC')]),
];

function planOf(database: DatabaseSync, sql: string): string[] {
  return database
    .prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .all()
    .map(({ detail }) => String(detail));
}

/** `SCAN CONSTANT ROW` is a SELECT without a table, and the index of words is asked by MATCH, which it calls a scan. */
function isWhole(detail: string): boolean {
  return /SCAN (?!CONSTANT ROW|(?:message_text|said_0|told_0) VIRTUAL TABLE INDEX \d+:.*M)|TEMP B-TREE/.test(detail);
}

test('no question reads a whole table, or sorts', () => {
  const database = new DatabaseSync(':memory:');
  for (const step of MIGRATIONS) database.exec(step);
  makeSlice(database, 0, 100);
  for (const sql of QUERIES) {
    const plan = planOf(database, sql);
    assert.ok(plan.length > 0);
    assert.deepEqual(plan.filter(isWhole), [], sql);
  }
  assert.ok(planOf(database, 'SELECT * FROM message ORDER BY text').filter(isWhole).length === 2);
});
