// The units for systemd: what its own tools say of them, and what has to be in them, or must not be.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { aDirectory } from './kit/directory.ts';
import { needs } from './kit/needs.ts';
import { PARTYLINE, ROOT } from './kit/program.ts';

const UNITS = join(ROOT, 'contrib/systemd');
const INSTALLED = '/opt/partyline/partyline';
const SERVER = 'partyline.service';
const HOST = 'partyline-host.service';

function read(name: string): string {
  return readFileSync(join(UNITS, name), 'utf8');
}

/** Without comments: each setting with all its values. */
function settingsOf(name: string): Map<string, string[]> {
  const settings = new Map<string, string[]>();
  for (const [, key = '', value = ''] of read(name).matchAll(/^([A-Za-z]+)=(.*)$/gm)) {
    settings.set(key, [...(settings.get(key) ?? []), value]);
  }
  return settings;
}

/** Copies that start this very program: systemd looks whether it is there. */
function copies(t: TestContext): string[] {
  const directory = aDirectory(t);
  return [SERVER, HOST].map((name) => {
    const path = join(directory, name);
    writeFileSync(path, read(name).replaceAll(INSTALLED, PARTYLINE));
    return path;
  });
}

function says(program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  return error === undefined ? `${status} ${stdout}${stderr}`.trim() : String(error);
}

test('systemd finds nothing wrong with the units', (t) => {
  if (!needs(t, ['systemd-analyze'])) return;
  for (const path of copies(t)) assert.equal(says('systemd-analyze', '--man=no', 'verify', path), '0');
});

test('the server is exposed to little', (t) => {
  if (!needs(t, ['systemd-analyze'])) return;
  const [server = ''] = copies(t);
  const told = says('systemd-analyze', 'security', '--offline=true', '--threshold=20', '--no-pager', server);
  assert.match(told, /^0 /, told);
});

test('the users of the units can be made, with the state directories as their homes', (t) => {
  if (!needs(t, ['systemd-sysusers'], { root: true })) return;
  const root = aDirectory(t);
  mkdirSync(join(root, 'etc'));
  assert.equal(says('systemd-sysusers', `--root=${root}`, join(UNITS, 'partyline.sysusers.conf')).charAt(0), '0');
  const users = readFileSync(join(root, 'etc/passwd'), 'utf8');
  for (const name of [SERVER, HOST]) {
    const [user = ''] = settingsOf(name).get('User') ?? [];
    assert.match(users, new RegExp(`^${user}:.*:/var/lib/${user}:/usr/sbin/nologin$`, 'm'));
    assert.deepEqual(settingsOf(name).get('StateDirectory'), [user]);
  }
});

test('in both a command has a cgroup of its own, and no setting takes it away', () => {
  for (const name of [SERVER, HOST]) {
    const settings = settingsOf(name);
    const has = (key: string) => settings.get(key)?.join(' ');
    assert.deepEqual([has('Delegate'), has('KillMode'), has('OOMPolicy')], ['yes', 'mixed', 'continue'], name);
    assert.deepEqual([has('Restart'), has('After')], ['always', 'network-online.target'], name);
    assert.equal(has('ExecReload'), '/bin/kill -HUP $MAINPID', name);
    for (const key of ['ProtectControlGroups', 'MemoryDenyWriteExecute', 'PrivateNetwork', 'IPAddressDeny']) {
      assert.equal(has(key), undefined, `${key} in ${name}`);
    }
  }
  assert.match(settingsOf(SERVER).get('RestrictAddressFamilies')?.join(' ') ?? '', /\bAF_INET\b.*\bAF_INET6\b/);
});

test('nothing in the unit of a host is between its commands and the machine', () => {
  const between =
    /^(?:Private|Protect|Restrict(?!art)|SystemCall|Capability|NoNewPrivileges|LockPersonality|MemoryDeny)/;
  const found = [...settingsOf(HOST).keys()].filter((key) => between.test(key));
  assert.deepEqual(found, []);
  assert.ok([...settingsOf(SERVER).keys()].filter((key) => between.test(key)).length > 10);
});
