// What is asked is read field by field: what is missing, of another type or out of bounds is refused.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parseNonce, parseProof } from './owner.ts';
import {
  MAX_CWD_LENGTH,
  MAX_ENV_NAMES,
  MAX_TIMEOUT_MS,
  parseRunCancel,
  parseRunEnded,
  parseRunStart,
  parseRunStarted,
} from './run.ts';

const START = { command: { shell: 'ls' }, stdin: 1, stdout: 3, stderr: 5 };
const NONCE = 'ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8';

test('run.start is read with everything that it may have', () => {
  assert.deepEqual(parseRunStart(START), { ...START, env: {} });
  const full = { ...START, command: { argv: ['a', ''] }, on: 'web1', env: { TERM: 'x' }, cwd: '/srv', timeoutMs: 5 };
  assert.deepEqual(parseRunStart({ ...full, unknown: 1 }), full);
});

test('run.start without something that it needs, or with something else in its place, is refused', () => {
  const wrong: [string, unknown][] = [
    ['params is not an object', []],
    ['params is not an object', undefined],
    ['command is neither {"shell": …} nor {"argv": […]} nor {"verb": …}', { ...START, command: 'ls' }],
    ['command has not exactly one of shell, argv and verb', { ...START, command: {} }],
    ['command has not exactly one of shell, argv and verb', { ...START, command: { shell: 'a', argv: ['a'] } }],
    ['command has not exactly one of shell, argv and verb', { ...START, command: { shell: 'a', verb: 'a' } }],
    ['verb is not a name', { ...START, command: { verb: '' } }],
    ['args is not an array of strings without NUL', { ...START, command: { verb: 'a', args: 'b' } }],
    ['args is not an array of strings without NUL', { ...START, command: { verb: 'a', args: ['b\0'] } }],
    ['shell is not a string without NUL', { ...START, command: { shell: 'a\0b' } }],
    ['argv is not an array with a program in it', { ...START, command: { argv: [] } }],
    ['argv is not an array with a program in it', { ...START, command: { argv: 'ls' } }],
    ['argv holds something that is not a string without NUL', { ...START, command: { argv: ['a', 1] } }],
    ['argv holds something that is not a string without NUL', { ...START, command: { argv: ['a\0'] } }],
    ['a stream is not a positive integer', { ...START, stdin: 0 }],
    ['a stream is not a positive integer', { ...START, stdout: 1.5 }],
    ['a stream is not a positive integer', { ...START, stderr: 2 ** 32 }],
    ['a stream is not a positive integer', { ...START, stderr: '5' }],
    ['on is not a string', { ...START, on: ['web1'] }],
    ['on names no host; without it the server itself is meant', { ...START, on: ' , ' }],
    ...['', 'a\0b', 7, 'x'.repeat(MAX_CWD_LENGTH + 1)].map((cwd): [string, unknown] => [
      `cwd is not a directory: a text of 1 to ${MAX_CWD_LENGTH} characters without NUL`,
      { ...START, cwd },
    ]),
    [`timeoutMs is not an integer from 1 to ${MAX_TIMEOUT_MS}`, { ...START, timeoutMs: 0 }],
    [`timeoutMs is not an integer from 1 to ${MAX_TIMEOUT_MS}`, { ...START, timeoutMs: MAX_TIMEOUT_MS + 1 }],
    [`env is not an object of at most ${MAX_ENV_NAMES} strings`, { ...START, env: { A: 1 } }],
    [`env is not an object of at most ${MAX_ENV_NAMES} strings`, { ...START, env: ['A=1'] }],
  ];
  for (const [bad, params] of wrong) assert.deepEqual(parseRunStart(params), { bad });
  const many = Object.fromEntries(Array.from({ length: MAX_ENV_NAMES + 1 }, (_, index) => [`A${index}`, '']));
  assert.ok('bad' in parseRunStart({ ...START, env: many }));
});

test('a nonce and a proof are 32 bytes in base64url', () => {
  assert.deepEqual(parseNonce({ nonce: NONCE }), { nonce: NONCE });
  assert.deepEqual(parseProof({ proof: NONCE }), { proof: NONCE });
  for (const wrong of [undefined, 1, '', `${NONCE}A`, `${NONCE.slice(1)}=`, `${NONCE.slice(1)}\n`]) {
    assert.ok('bad' in parseNonce({ nonce: wrong }));
    assert.ok('bad' in parseProof({ proof: wrong }));
  }
});

test('what a server says of a run is read just as carefully', () => {
  const ended = { run: 1, result: 'signalled', status: 137, signal: 9 } as const;
  assert.deepEqual(parseRunEnded(ended), ended);
  const lost = { run: 1, result: 'lost', status: null, reason: 'r' } as const;
  assert.deepEqual(parseRunEnded(lost), lost);
  const denied = { run: 1, result: 'denied', status: null, reason: 'r' } as const;
  assert.deepEqual(parseRunEnded(denied), denied);
  for (const wrong of [{ status: 256 }, { status: -1 }, { status: '0' }, { result: 'fine' }, { run: 0 }]) {
    assert.equal(parseRunEnded({ ...ended, ...wrong }), undefined);
  }
  assert.deepEqual(parseRunStarted({ run: 7 }), { run: 7 });
  assert.equal(parseRunStarted({}), undefined);
  assert.deepEqual(parseRunCancel({ run: 7 }), { run: 7 });
  assert.ok('bad' in parseRunCancel([7]));
});

test('property: no value makes a reader throw', () => {
  const value = fc.oneof(
    fc.anything(),
    fc.record({ command: fc.anything(), env: fc.anything(), stdin: fc.anything() }),
  );
  fc.assert(
    fc.property(value, (params) => {
      for (const read of [parseRunStart, parseNonce, parseProof, parseRunCancel, parseRunEnded]) read(params);
    }),
  );
});
