import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { until } from '../../test/kit/proc.ts';
import {
  everyone,
  isOfMark,
  killRuns,
  type Marked,
  parseMarks,
  parseStat,
  Snapshot,
  tellsSessions,
  type Wanted,
} from './members.ts';

const LIMIT = { timeout: 20_000 };

/** Of proc_pid_stat(5), the fields from the fifth of those that are looked at to the last. */
const REST = '0 -1 4194304 8 0 0 0 1 2 0 0 20 0 1 0 4711 2342912 …';

test('a name with parentheses and spaces does not shift the fields', () => {
  const member = { pid: 71, parent: 1, group: 70, session: 69, started: 4711 };
  assert.deepEqual(parseStat(`71 (cat) S 1 70 69 ${REST}`), member);
  assert.deepEqual(parseStat(`71 (a) R 5 6 7) S) S 1 70 69 ${REST}`), member);
});

test('zombies, the dead and half a line are nobody', () => {
  for (const line of [`71 (cat) Z 1 70 69 ${REST}`, `71 (cat) X 1 70 69 ${REST}`, '71 (cat) S 1', '']) {
    assert.equal(parseStat(line), undefined);
  }
});

test('a mark is a whole variable of an environment, wherever it stands there', () => {
  const marks = (...variables: string[]) => parseMarks(Buffer.from(variables.map((each) => `${each}\0`).join('')));
  assert.deepEqual(marks('PARTYLINE_RUN=a-1', 'HOME=/'), ['a-1']);
  assert.deepEqual(marks('HOME=/', 'PARTYLINE_RUN=a-1', 'PARTYLINE_RUN=b-2'), ['a-1', 'b-2']);
  assert.deepEqual(marks('MY_PARTYLINE_RUN=a-1', 'X=PARTYLINE_RUN=a-1'), []);
  assert.deepEqual(parseMarks(Buffer.from('PARTYLINE_RUN=a-1')), ['a-1']);
  assert.deepEqual(marks(), []);
});

test('of a run are who has its mark, who is in a session with them, and whom they started', () => {
  const one = (pid: number, parent: number, session: number, marks: string[] = []) => {
    return { pid, parent, session, marks, group: session, started: pid };
  };
  const all = [
    one(1, 0, 1),
    one(10, 1, 10, ['m-1']),
    // Both of them have emptied their environment, the second one in a session of its own.
    one(11, 1, 10),
    one(12, 11, 12),
    one(13, 12, 12),
    one(20, 1, 20, ['m-10']),
    one(30, 1, 30),
    one(31, 1, 31, ['n-1']),
  ];
  const pidsOf = (wanted: Wanted) => new Snapshot(all).of(wanted).map(({ pid }) => pid);
  const isOne = ({ marks }: Marked) => marks.includes('m-1');
  assert.deepEqual(pidsOf({ isOne, sessions: [] }), [10, 11, 12, 13]);
  assert.deepEqual(pidsOf({ isOne, sessions: [30] }), [10, 30, 11, 12, 13]);
  const ofRunner = (member: Marked) => isOfMark('m', member);
  assert.deepEqual(pidsOf({ isOne: ofRunner, sessions: [] }), [10, 20, 11, 12, 13]);
});

test('everyone has this process among them, and a session is killed with all its groups', LIMIT, async (t) => {
  if (!tellsSessions) return t.skip('this machine does not tell who is in a session');
  assert.equal(everyone().find(({ pid }) => pid === process.pid)?.parent, process.ppid);
  const line = `timeout 5000 sh -c 'echo up; exec sleep 100'; :`;
  const leader = spawn('/bin/sh', ['-c', line], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  const { pid = 0 } = leader;
  await once(leader.stdout, 'data');
  const groups = everyone().filter(({ session }) => session === pid);
  assert.equal(new Set(groups.map(({ group }) => group)).size, 2);
  killRuns({ mark: 'of nobody', leaders: new Set([pid]) });
  await once(leader, 'close');
  // Whoever dies closes its files first, and is among the others a moment longer.
  await until(() => everyone().every(({ session }) => session !== pid), 'nobody is left of the session');
});
