// A cgroup as systemd hands one to a unit with Delegate=yes: it and what is needed to move in it belong to the unit's
// user, nothing around it does, and the unit's main process is in it.

import { chownSync, existsSync, mkdirSync } from 'node:fs';
import { killCgroup, removeCgroup, pidsIn } from '../../src/runner/cgroup.ts';
import { findHold } from '../../src/runner/hold.ts';
import { until } from './proc.ts';
import { PARTYLINE, partyline, start } from './program.ts';

export interface Delegated extends AsyncDisposable {
  readonly path: string;
  /** The program inside, as that user. */
  readonly launch: typeof partyline;
}

/** Root goes in, as systemd does for a unit's main process, and then becomes the user: one process, one id. */
const ENTER =
  'echo 0 >"$0/cgroup.procs" && uid=$1 && shift && exec setpriv --reuid "$uid" --regid "$uid" --clear-groups -- "$@"';

/** As systemd.resource-control(5) and cgroups(7) have it; with all controllers that the kernel lets it have. */
export function aDelegatedCgroup(uid: number): Delegated {
  const holding = findHold();
  if (holding.hold !== 'cgroup') throw new Error('no cgroup v2 can be made here');
  const path = `${holding.directory}/partyline-test-${process.pid}`;
  mkdirSync(path);
  for (const file of ['', '/cgroup.procs', '/cgroup.threads', '/cgroup.subtree_control']) {
    if (existsSync(`${path}${file}`)) chownSync(`${path}${file}`, uid, uid);
  }
  return {
    path,
    launch: (args, options) => start('/bin/sh', ['-c', ENTER, path, String(uid), PARTYLINE, ...args], options),
    async [Symbol.asyncDispose]() {
      killCgroup(path);
      await until(() => pidsIn(path).length === 0 && removeCgroup(path), 'the cgroup is empty');
    },
  };
}

/** Why none can be made; false: it can. */
export const cannotDelegate =
  process.getuid?.() !== 0
    ? 'it takes root to hand a cgroup over'
    : findHold().hold !== 'cgroup' && 'no cgroup v2 here';
