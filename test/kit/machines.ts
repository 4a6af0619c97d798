// Many machines of a test's own in its process: each with a key and a connection, all with one runner.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { trustKey } from '../../src/client/trust.ts';
import { REAL_WORLD } from '../../src/client/world.ts';
import { DetachedRuns } from '../../src/detached/detached-runs.ts';
import { beJoined } from '../../src/host/joined.ts';
import { EVERYTHING } from '../../src/host/policy.ts';
import { parseJoinCode } from '../../src/net/join-code.ts';
import { ensureMachineKey } from '../../src/net/machine.ts';
import { createRunner } from '../../src/runner/runner.ts';
import { asOwner } from './accounts.ts';
import { newDirectory, removeDirectory } from './directory.ts';
import { at, type TestServer } from './server.ts';

/**
 * On their way at once. Each has 10 s to show who it is, and all are of this one process: 200 at once would need a machine
 * that is quick enough for that.
 */
const JOINING_AT_ONCE = 8;

/** Joined, all of them. */
export async function someMachines(
  names: readonly string[],
  server: TestServer,
  host: string,
): Promise<AsyncDisposable> {
  const directory = newDirectory();
  const runner = createRunner({ directory: join(directory, 'pipes') });
  const detached = new DetachedRuns({ runner, directory: join(directory, 'detached'), onTrouble: assert.fail });
  const stop = new AbortController();
  const stays: Promise<void>[] = [];
  await using made = new AsyncDisposableStack();
  made.defer(async () => {
    stop.abort();
    await Promise.allSettled(stays);
    await runner.close();
    await detached.close();
    await removeDirectory(directory);
  });
  await using owner = await asOwner(server, host);
  const comeIn = async (name: string): Promise<void> => {
    const { code } = await owner.invite(name, { kind: 'host' });
    const given = parseJoinCode(code);
    assert.ok(given !== undefined);
    const { promise, resolve } = Promise.withResolvers<string>();
    const machine = {
      host: at(host, server.port),
      key: ensureMachineKey(join(directory, `${name}.key`)),
      code: given,
      labels: new Map([['of', 'many']]),
      trust: trustKey(given.fingerprint),
      runner,
      detached,
      policy: { current: EVERYTHING },
      onDenied: () => {},
      onRecordsHead: () => {},
      world: REAL_WORLD,
      onJoined: resolve,
      onLost: () => {},
    };
    const stay = beJoined(machine, stop.signal);
    stays.push(stay);
    assert.equal(await Promise.race([promise, stay.then(() => 'over')]), name);
  };
  const left = names.values();
  const comeInOneByOne = async (): Promise<void> => {
    for (const name of left) await comeIn(name);
  };
  await Promise.all(Array.from({ length: JOINING_AT_ONCE }, comeInOneByOne));
  return made.move();
}
