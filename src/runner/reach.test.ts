// Whether anybody is left in a cgroup, where the runner process itself may still sit in it; a directory stands for one.

import assert from 'node:assert/strict';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { aDirectory } from '../../test/kit/directory.ts';
import { CgroupReach, MarkReach } from './reach.ts';

const LIMIT = { timeout: 20_000 };
const OWN = [4_000_001, 4_000_002];
const STRANGER = 4_000_003;
const LEADER = 4_000_004;
const AFTER_EXIT = { isUrgent: false, isLeaderReaped: true };

/** `procs`: what it says of who is in it. */
function aLook(t: TestContext, { procs, ours }: { procs: string; ours: number }) {
  const path = aDirectory(t);
  writeFileSync(join(path, 'cgroup.procs'), procs);
  const isPopulated = ours > 0 || procs !== '';
  writeFileSync(join(path, 'cgroup.events'), `populated ${isPopulated ? 1 : 0}\nfrozen 0\n`);
  const events = openSync(join(path, 'cgroup.events'), 'r');
  t.after(() => closeSync(events));
  const seat = { path, door: -1, events, ours, isShared: false, isDeserted: false };
  const byMark = new MarkReach({ mark: 'nobody', leader: LEADER });
  const { promise, resolve } = Promise.withResolvers<readonly number[]>();
  let isTold = false;
  new CgroupReach({ seat, byMark, own: new Set(OWN) }).look(AFTER_EXIT, (members) => {
    isTold = true;
    resolve(members.map(({ pid }) => pid));
  });
  return {
    told: promise,
    /** Before the next turn of the event loop. */
    async atOnce() {
      await Promise.resolve();
      return isTold;
    },
  };
}

test('where only we ourselves still sit nobody is left, at once', LIMIT, async (t) => {
  const look = aLook(t, { procs: OWN.map((pid) => `${pid}\n`).join(''), ours: 2 });
  assert.equal(await look.atOnce(), true);
  assert.deepEqual(await look.told, []);
});

test('who sits there beside us is found', LIMIT, async (t) => {
  const look = aLook(t, { procs: `${OWN[0]}\n${STRANGER}\n`, ours: 1 });
  assert.equal(await look.atOnce(), false);
  assert.deepEqual(await look.told, [STRANGER]);
});

test('a list that has not even us in it proves nothing', LIMIT, async (t) => {
  const look = aLook(t, { procs: '', ours: 1 });
  assert.equal(await look.atOnce(), false);
});
