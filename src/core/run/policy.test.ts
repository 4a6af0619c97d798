import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseName } from '../name.ts';
import type { Member } from '../session.ts';
import { allowedEnvironment } from './environment.ts';
import { placesOf } from './policy.ts';
import { resultOf } from './result.ts';

const runner = { start: () => assert.fail('nothing is to be started') };
const machine = { runner, labels: new Map(), family: 'ipv6', rttMs: undefined, dismiss: () => {} } as const;

function member(given: string): Member {
  const parsed = parseName(given);
  assert.ok(!('refused' in parsed));
  return { ...parsed, id: 1, since: 0, delivered: 0, account: undefined, sessions: [] };
}

test('only the owner may run on the server and on machines that have joined', () => {
  const web1 = member('web1');
  const hosts = {
    of: (key: string) =>
      key === web1.key
        ? { member: web1, machine }
        : key === 'old'
          ? { member: member('Old'), machine: undefined }
          : undefined,
  };
  const world = { serverName: 'Lab', runner, hosts };
  for (const role of ['guest', 'member', 'operator'] as const) {
    assert.deepEqual(placesOf([], role, world), { refused: 'not-allowed' });
    assert.deepEqual(placesOf(['web1'], role, world), { refused: 'not-allowed' });
  }
  assert.deepEqual(placesOf([], 'owner', world), [{ name: 'Lab', runner }]);
  assert.deepEqual(placesOf(['lab', 'WEB1', 'web1', 'old'], 'owner', world), [
    { name: 'Lab', runner },
    { name: 'web1', runner },
    { name: 'Old', runner: undefined },
  ]);
  assert.deepEqual(placesOf(['web1', 'Lab', 'web2', '-x'], 'owner', world), {
    refused: 'unknown-host',
    names: ['web2', '-x'],
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
