// How a test says what it needs of the machine. Where that is missing the test is left out, with a sentence that says
// so; in CI (the variable CI is set) nothing is left out and the test fails instead.

import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { TestContext } from 'node:test';

export interface Privileges {
  readonly root?: boolean;
  /** May make network namespaces, with files of their own under /etc/netns. */
  readonly netns?: boolean;
  /** May filter and translate in a namespace of its own, with nftables. */
  readonly filters?: boolean;
  /** May make TUN devices. */
  readonly tunnels?: boolean;
}

/** False: the test has been marked as left out and returns at once. */
export function needs(t: Pick<TestContext, 'skip'>, programs: readonly string[], privileges: Privileges = {}): boolean {
  const missing = programs.filter((program) => !isInstalled(program)).map((program) => `the program ${program}`);
  if (privileges.root && process.getuid?.() !== 0) missing.push('root rights');
  const tries: readonly (readonly [boolean | undefined, readonly string[], string])[] = [
    [privileges.netns, ['true'], 'the right to make network namespaces'],
    [privileges.filters, ['nft', FILTERS], 'a kernel with nftables: reject, numgen and masquerade'],
    [privileges.tunnels, ['ip', 'tuntap', 'add', 'dev', 'probe', 'mode', 'tun'], 'a kernel with TUN devices'],
  ];
  for (const [isNeeded, command, what] of tries) {
    if (isNeeded && missing.length === 0 && !worksInNamespace(command)) missing.push(what);
  }
  if (missing.length === 0) return true;
  leaveOut(t, `this machine lacks ${missing.join(', ')}`);
  return false;
}

/** Marks the test as left out; throws where nothing may be. */
export function leaveOut(t: Pick<TestContext, 'skip'>, reason: string): void {
  if (process.env['CI']) throw new Error(`${reason}, and nothing may be left out where CI is set`);
  t.skip(reason);
}

function isInstalled(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** What a kernel cannot do it refuses when it is asked to. */
const FILTERS = `table inet probe {
  chain forward { type filter hook forward priority filter; meta nfproto ipv6 reject with icmpv6 no-route
    numgen inc mod 2 == 1 meta length > 1 drop
  }
  chain leaving { type nat hook postrouting priority srcnat; masquerade
  }
}`;

function worksInNamespace([program = '', ...args]: readonly string[]): boolean {
  const name = `partyline-probe-${process.pid}`;
  if (spawnSync('ip', ['netns', 'add', name], { stdio: 'ignore' }).status !== 0) return false;
  const tried = spawnSync('ip', ['netns', 'exec', name, program, ...args], { stdio: 'ignore' });
  return spawnSync('ip', ['netns', 'delete', name], { stdio: 'ignore' }).status === 0 && tried.status === 0;
}
