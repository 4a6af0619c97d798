// Server and machine as units of systemd with Delegate=yes have them: not root, in a cgroup of their own. What ends a run
// there is its cgroup, which nothing escapes; and the main process may stay where systemd has put it.

import assert from 'node:assert/strict';
import { chownSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { pidsIn } from '../../src/runner/cgroup.ts';
import { aDelegatedCgroup, cannotDelegate } from '../kit/delegated.ts';
import { newDirectory, removeDirectory } from '../kit/directory.ts';
import { UNMARKED_DAEMON } from '../kit/escapees.ts';
import { codeFor } from '../kit/machine.ts';
import { until } from '../kit/proc.ts';
import { outcomeOf, partyline } from '../kit/program.ts';
import { at, LOOPBACKS, startServer } from '../kit/server.ts';

const LIMIT = { timeout: 60_000, skip: cannotDelegate };
/** `nobody`, on most systems; any that is not root will do. */
const UID = 65_534;

/** Of whoever runs there. */
function aHome(): { path: string } & AsyncDisposable {
  const path = newDirectory();
  chownSync(path, UID, UID);
  return { path, [Symbol.asyncDispose]: () => removeDirectory(path) };
}

for (const host of LOOPBACKS) {
  for (const which of ['server', 'machine'] as const) {
    test(`in a delegated cgroup nothing of a command of the ${which} is left: ${host}`, LIMIT, async () => {
      await using group = aDelegatedCgroup(UID);
      await using home = aHome();
      const { launch } = group;
      await using server = await startServer(which === 'server' ? { directory: home.path, launch } : {});
      const target = at(host, server.port);
      const on = which === 'server' ? [] : ['--on', 'web1'];
      const code = which === 'server' ? undefined : await codeFor('web1', server, host);
      await using machine =
        code === undefined
          ? undefined
          : launch(['join', target, '--code', code], { env: { PARTYLINE_DATA: home.path } });
      await machine?.stdout.until('ready\n');
      const main = machine ?? server.program;
      const env = { ...server.env };

      const doctor = await outcomeOf(launch(['doctor'], { env: { PARTYLINE_DATA: home.path } }));
      const runs = /^.*\bruns\b.*$/m.exec(doctor.stdout)?.[0] ?? '';
      assert.match(runs, new RegExp(`a cgroup of its own in ${group.path}$`));

      await using client = partyline(['run', target, ...on, '--', `cat /proc/self/cgroup; id -u; ${UNMARKED_DAEMON}`], {
        env,
      });
      const said = await client.stdout.until(/^up\n/m);
      const own = /^0::.*\/(partyline-[0-9a-f]{32}\/\d+)$/m.exec(said)?.[1] ?? assert.fail(said);
      assert.match(said, new RegExp(`^${UID}$`, 'm'));
      assert.ok(pidsIn(`${group.path}/${own}`).length > 0);
      // Where it was put: only cgroups that share a controller out may have nobody in them, and none of ours does.
      assert.match(readFileSync(`${group.path}/cgroup.procs`, 'utf8'), new RegExp(`^${main.pid}$`, 'm'));
      client.kill('SIGKILL');
      await until(() => pidsIn(`${group.path}/${own}`).every((pid) => isRunner(pid)), 'nothing of the run is left');
      main.kill('SIGTERM');
      assert.equal(await main.ended, 0);
      await until(
        () => readdirSync(group.path).every((name) => !name.startsWith('partyline-')),
        'its cgroups are gone',
      );
      assert.deepEqual(pidsIn(group.path), []);
    });
  }
}

/** It sits in the cgroup of the command that comes next. */
function isRunner(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('process.mjs');
  } catch {
    return false;
  }
}
