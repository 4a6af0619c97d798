import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allowedEnvironment } from './environment.ts';
import { refusalToRun } from './policy.ts';
import { resultOf } from './result.ts';

test('only the owner may run on the server, and no machine has joined', () => {
  const serverName = 'Lab';
  assert.deepEqual(refusalToRun({ role: 'guest', hosts: [], serverName }), { refused: 'not-allowed' });
  assert.deepEqual(refusalToRun({ role: 'guest', hosts: ['web1'], serverName }), { refused: 'not-allowed' });
  assert.equal(refusalToRun({ role: 'owner', hosts: [], serverName }), undefined);
  assert.equal(refusalToRun({ role: 'owner', hosts: ['lab'], serverName }), undefined);
  assert.deepEqual(refusalToRun({ role: 'owner', hosts: ['Lab', 'web1'], serverName }), {
    refused: 'unknown-host',
    names: ['web1'],
  });
});

test('of the environment only locale, terminal and time zone pass', () => {
  const given = { LANG: 'C.UTF-8', LC_TIME: 'de_DE', TERM: 'xterm', TZ: 'UTC' };
  const hostile = { LD_PRELOAD: '/x.so', BASH_ENV: '/x', NODE_OPTIONS: '-r x', PATH: '/x', LC_x: '1', LANGUAGE: 'x' };
  const unfit = { LC_ALL: 'x'.repeat(257), LC_CTYPE: 'a\0b' };
  assert.deepEqual(allowedEnvironment({ ...given, ...hostile, ...unfit }), given);
});

test('a status is the command’s own, 128+N for signal N, 124 when time ran out', () => {
  const code = { kind: 'code', code: 3 } as const;
  const killed = { kind: 'signal', signal: 9 } as const;
  assert.deepEqual(resultOf(code, undefined), { result: 'exited', status: 3 });
  assert.deepEqual(resultOf(killed, undefined), { result: 'signalled', status: 137, signal: 9 });
  assert.deepEqual(resultOf(killed, 'timeout'), { result: 'timeout', status: 124 });
  assert.deepEqual(resultOf(killed, 'cancel'), { result: 'cancelled', status: 137 });
});
