import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { everyone, killSessions, parseStat, tellsSessions } from './members.ts';

const LIMIT = { timeout: 20_000 };

test('a name with parentheses and spaces does not shift the fields', () => {
  const member = { pid: 71, parent: 1, group: 70, session: 69 };
  assert.deepEqual(parseStat('71 (cat) S 1 70 69 0 -1 4194304 …'), member);
  assert.deepEqual(parseStat('71 (a) R 5 6 7) S) S 1 70 69 0 -1 …'), member);
});

test('zombies, the dead and half a line are nobody', () => {
  for (const line of ['71 (cat) Z 1 70 69 0', '71 (cat) X 1 70 69 0', '71 (cat) S 1', '']) {
    assert.equal(parseStat(line), undefined);
  }
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
  killSessions(new Set([pid]));
  await once(leader, 'close');
  assert.deepEqual(
    everyone().filter(({ session }) => session === pid),
    [],
  );
});
