import assert from 'node:assert/strict';
import { chmodSync, chownSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { aDirectory } from '../../../test/kit/directory.ts';
import {
  checkAddresses,
  checkClock,
  checkDirectory,
  checkFamilies,
  checkListening,
  checkNode,
  checkRuns,
  judgeSpace,
} from './checks.ts';

test('an older Node is a problem, a newer one is not', () => {
  assert.deepEqual(
    ['v20.1.0', 'v26.10.0', 'v27.0.0', 'nonsense'].map((version) => checkNode(version).state),
    ['problem', 'ok', 'ok', 'problem'],
  );
});

test('a family that is missing is a warning, both are a problem', async () => {
  const having = (...addresses: string[]) => checkFamilies(async (address) => addresses.includes(address));
  const states = await Promise.all([having('127.0.0.1', '::1'), having('127.0.0.1'), having('::1'), having()]);
  assert.deepEqual(
    states.map(([finding]) => finding?.state),
    ['ok', 'warning', 'warning', 'problem'],
  );
  assert.match(states[1]?.[0]?.found ?? '', /IPv6/);
});

test('each address that a server listens on is tried in its family, and a family without any is a warning', async () => {
  const tried: string[] = [];
  const connect = async (address: string, port: number) => {
    tried.push(`${address} ${port}`);
    return port !== 7_007;
  };
  const both = ['tls://0.0.0.0:7270', 'tls://[::]:7270', 'echo://[::1]:7007'];
  const found = (await checkListening({ urls: both, isOfBothFamilies: true, connect })).map(
    ({ state, found }) => `${state}: ${found}`,
  );
  assert.deepEqual(found, [
    'ok: tls://0.0.0.0:7270 takes connections (IPv4)',
    'ok: tls://[::]:7270 takes connections (IPv6)',
    'warning: echo://[::1]:7007 takes no connections (IPv6)',
  ]);
  assert.deepEqual(tried, ['127.0.0.1 7270', '::1 7270', '::1 7007']);
  const urls = ['tcp://127.0.0.1:7270', 'echo://[::1]:7'];
  const last = async (isOfBothFamilies: boolean) =>
    (await checkListening({ urls, isOfBothFamilies, connect })).at(-1)?.found;
  assert.equal(await last(true), 'no server answers over IPv6');
  assert.equal(await last(false), 'echo://[::1]:7 takes connections (IPv6)');
  assert.deepEqual(await checkListening({ urls: [], isOfBothFamilies: true, connect }), []);
});

test('loopback and link-local addresses reach nobody else', () => {
  const one = { netmask: '', mac: '', internal: false, cidr: null };
  const at = (address: string) => ({ ...one, address, family: 'IPv4' as const });
  assert.match(
    checkAddresses({ lo: [at('127.0.0.1'), at('fe80::1'), at('169.254.0.1')] }).found,
    /no addresses but loopback/,
  );
  assert.match(checkAddresses({ eth0: [at('192.0.2.7')] }).found, /192\.0\.2\.7/);
});

test('little space is a warning, hardly any a problem', () => {
  assert.deepEqual(
    [2 ** 31, 2 ** 29, 2 ** 20].map((bytes) => judgeSpace(bytes).state),
    ['ok', 'warning', 'problem'],
  );
});

test('a directory that others may write to is a problem, one that is still to be made is not', (t) => {
  const directory = aDirectory(t);
  assert.deepEqual(checkDirectory(join(directory, 'a', 'b'))[0]?.state, 'ok');
  chmodSync(directory, 0o777);
  assert.match(checkDirectory(directory)[0]?.found ?? '', /others may write/);
});

test('a file in the place of the directory, or of one above it, is a problem', (t) => {
  const file = join(aDirectory(t), 'file');
  writeFileSync(file, '');
  for (const directory of [file, join(file, 'a', 'b')]) {
    assert.deepEqual(checkDirectory(directory), [
      {
        check: 'directory',
        state: 'problem',
        found: `${file} is not a directory`,
        todo: 'give another with --data or PARTYLINE_DATA',
      },
    ]);
  }
});

test(
  'a directory of another user is a problem',
  { skip: process.getuid?.() !== 0 && 'only root may give one away' },
  (t) => {
    const directory = aDirectory(t);
    chownSync(directory, 65_534, 65_534);
    assert.match(checkDirectory(directory)[0]?.found ?? '', /belongs to another user \(id 65534\); no server/);
  },
);

test('a clock behind what was written before is a warning', (t) => {
  const directory = aDirectory(t);
  const nowMs = new Date(2026, 10, 22, 20).getTime();
  assert.match(checkClock(directory, nowMs).found, /^this machine says 2026-11-22 20:00:00; nothing here to compare/);
  const journal = join(directory, 'journal.db');
  writeFileSync(journal, '');
  utimesSync(journal, nowMs / 1_000 + 3_600, nowMs / 1_000 + 3_600);
  const { state, found } = checkClock(directory, nowMs);
  assert.equal(state, 'warning');
  assert.match(found, /at 2026-11-22 21:00:00: its clock is behind, or was ahead then$/);
  const later = checkClock(directory, nowMs + 3_600_000);
  assert.equal(later.state, 'ok');
  assert.match(later.found, /which is after the journal was last written$/);
});

test('what is left of a command is told for each way of holding it', () => {
  const cgroup = checkRuns({ hold: 'cgroup', directory: '/sys/fs/cgroup/here' });
  assert.equal(cgroup.state, 'ok');
  assert.match(cgroup.found, /all that it started.* in \/sys\/fs\/cgroup\/here$/);
  const mark = checkRuns({ hold: 'mark', reason: '/sys/fs/cgroup: read-only file system' });
  assert.equal(mark.state, 'warning');
  assert.match(mark.found, /PARTYLINE_RUN.*env -i setsid\) stays.*: \/sys\/fs\/cgroup: read-only file system$/);
  assert.match(mark.todo ?? '', /Delegate=yes/);
  const [linux, other] = ['linux', 'darwin'].map((platform) => checkRuns({ hold: 'group' }, platform));
  assert.deepEqual([linux?.state, other?.state], ['warning', 'warning']);
  assert.equal(linux?.todo, 'mount /proc');
  assert.match(other?.found ?? '', /^a command and its process group are ended; what makes a group of its own stays$/);
});

test('what this machine gives is one of them', () => {
  assert.match(checkRuns().found, /ended/);
});
