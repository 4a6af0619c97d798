import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDate } from '../../protocol/date.ts';
import { wordsForResults, wordsForTimes } from './record.ts';

const [STARTED, ENDED] = ['2026-11-30T13:06:04.000Z', '2026-11-30T13:16:04.000Z'];
const NOTHING = { host: 'web1', status: null, started: STARTED, ended: ENDED, stdin: null, stdout: null, stderr: null };
const RAN = { ...NOTHING, result: 'exited', status: 0, stdin: { bytes: 0, sha256: '0'.repeat(64) } } as const;
const DENIED = { ...NOTHING, result: 'denied' } as const;
const OFFLINE = { ...NOTHING, result: 'offline' } as const;

type Run = Parameters<typeof wordsForTimes>[0];

function wordsOf(results: Run['results'], more: Partial<Run> = {}): string {
  const words = wordsForTimes({ started: STARTED, ended: ENDED, results, ...more });
  return words.replace(formatDate(Date.parse(STARTED)), 'A').replace(formatDate(Date.parse(ENDED)), 'B');
}

test('what never started is not said to have started, and a request says what became of it', () => {
  assert.deepEqual(
    [
      wordsOf([RAN]),
      wordsOf([RAN], { ended: null }),
      wordsOf([DENIED, RAN]),
      wordsOf([DENIED, OFFLINE]),
      wordsOf([OFFLINE]),
      wordsOf([DENIED], { decided: 'expired' }),
      wordsOf([DENIED], { decided: 'withdrawn' }),
      wordsOf([DENIED], { decided: 'denied' }),
    ],
    [
      'started A, ended B',
      'started A, not ended',
      'started A, ended B',
      'denied at B',
      'asked for at B, and not started',
      'asked A, expired B',
      'asked A, taken back B',
      'asked A, denied B',
    ],
  );
  assert.equal(wordsForResults({ results: [DENIED], decided: 'expired' }), 'expired');
  assert.equal(wordsForResults({ results: [DENIED, RAN] }), '1 denied, 1 ok');
});
