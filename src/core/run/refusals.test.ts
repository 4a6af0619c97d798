import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newDigest } from '../../secrets/digest.ts';
import { parseName } from '../name.ts';
import type { AskedCommand } from './policy.ts';
import { type Chained, NO_HASH, PLAIN, type RunEntry, type RunRefused } from './record.ts';
import { Records } from './records.ts';
import { LEFT_OUT_MS, REFUSED_BYTES, Refusals } from './refusals.ts';

const RESULT = { result: 'denied', status: null, reason: 'no rule' } as const;
const LS: AskedCommand = { kind: 'shell', line: 'ls' };

function aName(text: string) {
  const parsed = parseName(text);
  return 'refused' in parsed ? assert.fail(text) : parsed.name;
}

function anAttempt(given: Partial<RunRefused> = {}): RunRefused {
  const who = { by: 1, byName: aName('eve'), address: '::1' };
  return {
    type: 'refused',
    run: 1,
    atMs: 0,
    ...who,
    hosts: ['web1'],
    command: LS,
    setting: PLAIN,
    result: RESULT,
    ...given,
  };
}

/** How many of so many go on record, all at once. */
function taken(refusals: Refusals, attempt: RunRefused, count: number): number {
  let records = 0;
  for (let at = 0; at < count; at++) if (refusals.take(attempt)) records++;
  return records;
}

test('an account has a share of records for what it is refused, and what is over it is one record a minute', () => {
  const refusals = new Refusals();
  const first = taken(refusals, anAttempt(), 100_000);
  assert.ok(first > 3_000 && first <= REFUSED_BYTES.burst / 1_024, `${first}`);
  assert.equal(taken(refusals, anAttempt({ by: 2 }), 10), 10, 'another account has its own');
  assert.deepEqual(refusals.due(LEFT_OUT_MS - 1), []);
  assert.ok(!refusals.take(anAttempt({ atMs: LEFT_OUT_MS - 1 })), 'whatever has room meanwhile is counted too');
  const [due, ...more] = refusals.due(LEFT_OUT_MS);
  assert.deepEqual(more, []);
  assert.equal(due?.leftOut, 100_000 - first, 'it stands for the last one, and for so many before it');
  assert.equal(due.atMs, LEFT_OUT_MS - 1);
  assert.deepEqual(refusals.due(2 * LEFT_OUT_MS), []);
  const later = taken(refusals, anAttempt({ atMs: 2 * LEFT_OUT_MS }), 1_000);
  assert.ok(later > 0 && later <= (2 * LEFT_OUT_MS * REFUSED_BYTES.perSecond) / 1_000 / 1_024, `${later}`);
});

test('what is long takes more of the share, and the record that counts shows its beginning', () => {
  const refusals = new Refusals();
  const words = Array.from({ length: 1_000 }, () => 'x'.repeat(1_000));
  const env = Array.from({ length: 64 }, (_, at) => `A${at}`);
  const long = anAttempt({ command: { kind: 'argv', argv: words }, hosts: words, setting: { ...PLAIN, env } });
  const records = taken(refusals, long, 100);
  assert.ok(records > 0 && records <= 4, `${records}`);
  const [due] = refusals.due(Infinity);
  assert.equal(due?.leftOut, 100 - records - 1);
  assert.ok(JSON.stringify(due).length < 12_000);
  assert.deepEqual(due.command, { kind: 'argv', argv: ['x'.repeat(1_000), 'x'.repeat(23)] });
});

test('a clock that is set back neither fills a share nor keeps a count for ever', () => {
  const refusals = new Refusals();
  taken(refusals, anAttempt({ atMs: 10 * LEFT_OUT_MS }), 10_000);
  assert.equal(refusals.due(0).length, 1);
  assert.equal(taken(refusals, anAttempt(), 100), 0);
});

test('a member who is refused ten thousand times leaves few records, of which one says how many there were', () => {
  const chained: RunEntry[] = [];
  const chain = (entry: RunEntry, done: (chained: Chained) => void) => {
    done({ number: chained.push(entry), hash: NO_HASH });
  };
  const time = { ms: 1_000 };
  const world = { journal: { chain }, newDigest, now: () => time.ms, onUnwritten: assert.fail };
  const records = new Records(world, { last: 0, head: NO_HASH });
  const starter = { by: 1, byName: aName('eve'), address: '::1' };
  for (let count = 0; count < 10_000; count++) {
    records.refuse({ run: records.newRun(), starter, hosts: ['web1'], command: LS, setting: PLAIN, result: RESULT });
  }
  time.ms += LEFT_OUT_MS;
  records.writeLeftOut();
  records.writeLeftOut({ isLast: true });
  assert.ok(chained.length < 4_097, `${chained.length}`);
  const last = chained.pop();
  assert.ok(
    last?.type === 'refused' && chained.every((entry) => entry.type === 'refused' && entry.leftOut === undefined),
  );
  assert.equal(last.leftOut, 10_000 - chained.length - 1);
  assert.equal(last.run, 10_001, 'a number of its own');
});
