// How a run ended, over the wire and back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunResult } from '../core/ports.ts';
import { fromRunEnded, toRunEnded } from './ended.ts';

test('each end of a run has its fields on the wire', () => {
  assert.deepEqual(toRunEnded(1, { result: 'exited', status: 3 }, 'why'), { run: 1, result: 'exited', status: 3 });
  const signalled = { result: 'signalled', status: 137, signal: 9 } as const;
  assert.deepEqual(toRunEnded(1, signalled), { run: 1, ...signalled });
  const cancelled = { result: 'cancelled', status: 143 } as const;
  assert.deepEqual(toRunEnded(1, cancelled, 'why'), { run: 1, ...cancelled, reason: 'why' });
  const lost = { result: 'lost', status: null, reason: 'r' } as const;
  assert.deepEqual(toRunEnded(1, lost, 'why'), { run: 1, ...lost });
  const cut = { ...lost, mayGoOn: true } as const;
  assert.deepEqual(toRunEnded(1, cut), { run: 1, ...lost, cut: true });
  assert.deepEqual(toRunEnded(1, cut, 'why'), { run: 1, ...lost, reason: 'why', cut: true });
});

test('what was told comes back as it was, and what contradicts itself is lost', () => {
  const all: RunResult[] = [
    { result: 'exited', status: 3 },
    { result: 'signalled', status: 137, signal: 9 },
    { result: 'timeout', status: 124 },
    { result: 'cancelled', status: 143 },
    { result: 'denied', status: null, reason: 'r' },
    { result: 'lost', status: null, reason: 'r' },
  ];
  for (const result of all) assert.deepEqual(fromRunEnded(toRunEnded(1, result)), result);
  for (const wrong of [
    { run: 1, result: 'signalled', status: 137 },
    { run: 1, result: 'exited', status: null },
    { run: 1, result: 'denied', status: 0 },
    { run: 1, result: 'lost', status: 0 },
  ] as const) {
    assert.equal(fromRunEnded(wrong).result, 'lost');
  }
});
