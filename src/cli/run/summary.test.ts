import assert from 'node:assert/strict';
import { test } from 'node:test';
import { summarise, type HostResult } from '../../protocol/summary.ts';
import { formatProgress, overallStatus } from './summary.ts';

const exited = (status: number): HostResult => ({ result: 'exited', status });
const signalled = (signal: number): HostResult => ({ result: 'signalled', status: 128 + signal, signal });
const timeout: HostResult = { result: 'timeout', status: 124 };
const cancelled = (status: number): HostResult => ({ result: 'cancelled', status });
const denied: HostResult = { result: 'denied' };
const offline: HostResult = { result: 'offline' };
const lost: HostResult = { result: 'lost' };
const notStarted: HostResult = { result: 'not-started' };

test('each way to end is one line, from good to bad', () => {
  const results = new Map<string, HostResult>([
    ['lone', lost],
    ['old', offline],
    ['b1', notStarted],
    ['secret', denied],
    ['c1', cancelled(143)],
    ['c2', cancelled(0)],
    ['slow', timeout],
    ['killed', signalled(9)],
    ['busy', signalled(10)],
    ['db2', exited(3)],
    ['db1', exited(3)],
    ['x', exited(12)],
    ...Array.from({ length: 37 }, (_, at) => [`web${37 - at}`, exited(0)] as const),
  ]);
  assert.deepEqual(
    summarise(results).map(({ text }) => text),
    [
      '37 ok: web[1-37]',
      '2 exit 3: db[1-2]',
      '1 exit 12: x',
      '1 signal 9 (SIGKILL): killed',
      '1 signal 10: busy',
      '1 timeout: slow',
      '2 cancelled: c[1-2]',
      '1 not started: b1',
      '1 denied: secret',
      '1 offline: old',
      '1 lost: lone',
    ],
  );
  assert.deepEqual(
    summarise(results).filter(({ isOk }) => isOk),
    [{ words: '37 ok', text: '37 ok: web[1-37]', isOk: true }],
  );
});

test('the status says whether all went well, and how not if they agree', () => {
  const table: [results: HostResult[], status: number][] = [
    [[exited(0), exited(0)], 0],
    [[exited(0), exited(3), exited(3)], 3],
    [[exited(3), exited(4)], 1],
    [[exited(0), signalled(9)], 137],
    [[exited(137), signalled(9)], 137],
    [[timeout, exited(0)], 124],
    [[timeout, exited(1)], 1],
    [[exited(255), exited(255)], 255],
    [[cancelled(0), exited(0)], 1],
    [[cancelled(143), cancelled(143)], 143],
    [[exited(0), offline], 255],
    [[exited(0), denied], 255],
    [[exited(3), lost], 255],
    [[exited(3), notStarted], 255],
    [[], 255],
  ];
  for (const [results, status] of table) assert.equal(overallStatus(results), status, JSON.stringify(results));
});

test('progress tells who is still running, in the width there is', () => {
  const running = ['web38', 'web39', 'web40', 'db', 'backup'];
  assert.equal(formatProgress({ total: 50, done: 45, running }, 80), '45/50 backup,db,web[38-40]');
  assert.equal(formatProgress({ total: 50, done: 45, running }, 26), '45/50 backup,db,web[38-40]');
  assert.equal(formatProgress({ total: 50, done: 45, running }, 25), '45/50 backup,db,web[38-4…');
  assert.equal(formatProgress({ total: 50, done: 45, running }, 3), '45…');
  assert.equal(formatProgress({ total: 50, done: 45, running }, 0), '');
  assert.equal(formatProgress({ total: 50, done: 50, running: [] }, 80), '50/50');
});

test('letters that may be wide are given the room', () => {
  assert.equal(formatProgress({ total: 2, done: 1, running: ['山田一郎'] }, 12), '1/2 山田一郎');
  assert.equal(formatProgress({ total: 2, done: 1, running: ['山田一郎'] }, 11), '1/2 山田一…');
  assert.equal(formatProgress({ total: 2, done: 1, running: ['𐐨𐐨𐐨'] }, 8), '1/2 𐐨…');
});
