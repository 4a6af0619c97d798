import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { aDirectory } from '../../test/kit/directory.ts';
import { lacksCgroups } from '../../test/kit/escapees.ts';
import { until } from '../../test/kit/proc.ts';
import { findCgroup, isTreeOf, killCgroup, makeCgroup, pidsIn, removeCgroup, treeIn, type World } from './cgroup.ts';

const LIMIT = { timeout: 20_000 };
const V1 = '31 24 0:27 / /sys/fs/cgroup/cpu rw,nosuid shared:9 - cgroup cgroup rw,cpu';
const UNIFIED = '30 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev shared:8 - cgroup2 cgroup2 rw,nsdelegate';
const HYBRID = '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw';

function lookAt(mountinfo: string, cgroup: string, whyNot: World['whyNot'] = () => undefined) {
  return findCgroup({ read: (name) => (name === 'cgroup' ? cgroup : mountinfo), whyNot });
}

test('our own cgroup is found where version 2 is mounted, alone or beside version 1', () => {
  const service = '/system.slice/partyline.service';
  assert.deepEqual(lookAt(UNIFIED, `0::${service}\n`), { directory: `/sys/fs/cgroup${service}` });
  assert.deepEqual(lookAt(`${V1}\n${HYBRID}`, '1:cpu:/\n0::/\n'), { directory: '/sys/fs/cgroup/unified' });
});

test('a mount that shows a part of the tree leads to what is in that part, and to nothing else', () => {
  const part = '50 23 0:26 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup rw';
  assert.deepEqual(lookAt(part, '0::/docker/abc'), { directory: '/sys/fs/cgroup' });
  assert.deepEqual(lookAt(part, '0::/docker/abc/inner'), { directory: '/sys/fs/cgroup/inner' });
  assert.deepEqual(lookAt(part, '0::/docker/abcd'), { reason: 'no cgroup v2 is mounted' });
  const spaced = String.raw`50 23 0:26 / /mnt/my\040groups rw - cgroup2 cgroup rw`;
  assert.deepEqual(lookAt(spaced, '0::/a'), { directory: '/mnt/my groups/a' });
});

test('the first mount where one can be made is taken, and else it is said why not', () => {
  const whyNot = (directory: string) => (directory.includes('unified') ? undefined : 'read-only file system');
  assert.deepEqual(lookAt(`${UNIFIED}\n${HYBRID}`, '0::/a', whyNot), { directory: '/sys/fs/cgroup/unified/a' });
  assert.deepEqual(lookAt(UNIFIED, '0::/a', whyNot), { reason: '/sys/fs/cgroup/a: read-only file system' });
});

test('where there is no version 2, no mount or no /proc, there is none', () => {
  assert.deepEqual(lookAt(V1, '1:cpu:/\n'), { reason: 'there is no cgroup v2' });
  assert.deepEqual(lookAt(V1, '0::/'), { reason: 'no cgroup v2 is mounted' });
  assert.deepEqual(findCgroup({ read: () => undefined, whyNot: () => undefined }), { reason: 'there is no cgroup v2' });
});

test('what is no cgroup file system gives no cgroup, and nothing is left there', (t) => {
  const directory = aDirectory(t);
  assert.equal(makeCgroup(`${directory}/own`), 'no such file or directory');
  writeFileSync(`${directory}/cgroup.procs`, '');
  assert.match(makeCgroup(`${directory}/own`) ?? '', /cgroup\.kill is missing/);
  assert.equal(existsSync(`${directory}/own`), false);
});

test('the name of a tree tells whose it is', () => {
  assert.ok(isTreeOf('ab', treeIn('/sys/fs/cgroup/x', 'ab')));
  for (const path of ['/sys/fs/cgroup', '/sys/fs/cgroup/partyline-abc', 'partyline-ab', '']) {
    assert.ok(!isTreeOf('ab', path), path);
  }
});

test(
  'all in a cgroup and in those inside it are listed, killed at once, and it is removed',
  { ...LIMIT, skip: lacksCgroups },
  async () => {
    const found = findCgroup();
    assert.ok('directory' in found);
    const path = treeIn(found.directory, `test-${process.pid}`);
    assert.equal(makeCgroup(path), undefined);
    mkdirSync(`${path}/inner`);
    const line = `echo 0 >${path}/inner/cgroup.procs; setsid sleep 1000 & echo up; wait`;
    const shell = spawn('/bin/sh', ['-c', line], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(shell.stdout, 'data');
    const exited = once(shell, 'exit');
    assert.ok(pidsIn(path).includes(shell.pid ?? 0));
    assert.equal(removeCgroup(path), false);
    assert.equal(killCgroup(path), true);
    await exited;
    await until(() => removeCgroup(path), 'it is empty');
    assert.equal(existsSync(path), false);
    assert.equal(removeCgroup(path), true);
    assert.equal(killCgroup(path), false);
  },
);
