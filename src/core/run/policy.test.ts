import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseName, type NameKey } from '../name.ts';
import type { Member } from '../session.ts';
import { allowedEnvironment } from './environment.ts';
import { placesFor } from './policy.ts';
import { resultOf } from './result.ts';

const runner = { start: () => assert.fail('nothing is to be started') };
const machine = {
  runner,
  labels: new Map([['env', 'prod']]),
  family: 'ipv6',
  rttMs: undefined,
  dismiss: () => {},
} as const;

function member(given: string): Member {
  const parsed = parseName(given);
  assert.ok(!('refused' in parsed));
  return { ...parsed, id: 1, since: 0, delivered: 0, account: undefined, sessions: [] };
}

test('only the owner may run on the server and on machines that have joined', () => {
  const states = [
    { member: member('web1'), machine },
    { member: member('Old'), machine: undefined },
  ];
  const hosts = { all: () => states };
  const directory = { account: () => undefined, group: () => undefined };
  const world = { serverName: 'Lab', runner, hosts, directory, isPresent: (key: NameKey) => key === 'bob' };
  for (const role of ['guest', 'member', 'operator'] as const) {
    for (const targets of ['', 'web1', 'nobody']) {
      assert.deepEqual(placesFor(targets, role, world), { refused: 'not-allowed' });
    }
  }
  const server = { name: 'Lab', runner };
  const [web1, old] = [
    { name: 'web1', runner },
    { name: 'Old', runner: undefined },
  ];
  assert.deepEqual(placesFor(' ', 'owner', world), { places: [server], isOneName: true });
  assert.deepEqual(placesFor('WEB1', 'owner', world), { places: [web1], isOneName: true });
  assert.deepEqual(placesFor('lab WEB1,web1 old', 'owner', world), { places: [server, old, web1], isOneName: false });
  assert.deepEqual(placesFor('all', 'owner', world), { places: [old, web1], isOneName: false });
  assert.deepEqual(placesFor('env=prod,!old', 'owner', world), { places: [web1], isOneName: false });
  const unknown = { refused: 'unknown-host', names: ['web2'] };
  assert.deepEqual(placesFor('web1 Lab web2', 'owner', world), unknown);
  assert.deepEqual(placesFor('bob', 'owner', world), { refused: 'no-machine', names: ['bob'] });
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
