// How a server comes and goes where something is in its way.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { anAccount, record } from '../test/contracts/journal.ts';
import { aDirectory } from '../test/kit/directory.ts';
import { FakeRunner } from '../test/kit/native.ts';
import { LOOPBACKS } from '../test/kit/server.ts';
import { parseName } from './core/name.ts';
import { MemoryJournal } from './journal/memory.ts';
import { startServer } from './server.ts';
import { openCore } from './server/core.ts';

const LOG = { tell() {}, info() {}, warn() {} };
const NAMES = { name: 'Server', owner: 'owner', isOpen: false, log: LOG };

/** A listener of the test's own. */
async function listening(host: string, port = 0) {
  const server = createServer().listen(port, host);
  await once(server, 'listening');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server that listens has such an address
  return { server, port: (server.address() as AddressInfo).port };
}

for (const host of LOOPBACKS) {
  test(`a server that cannot start leaves neither a listener nor a directory: ${host}`, async (t) => {
    const taken = await listening(host);
    t.after(() => taken.server.close());
    const free = await listening(host);
    free.server.close();
    await once(free.server, 'close');
    const directory = join(aDirectory(t), 'new');
    const listen = [free, taken].map(({ port }) => ({ scheme: 'tcp', host, port, isInsecure: false }) as const);
    const starting = startServer({ ...NAMES, listen, directory });
    await assert.rejects(starting, /^Error: Cannot listen on tcp:\/\/.*: the address is in use$/);
    assert.ok(!existsSync(directory));
    const again = await listening(host, free.port);
    again.server.close();
  });
}

test(
  'a core is closed within its time, whatever does not end, and what did not is found by the next server',
  { timeout: 20_000 },
  async (t) => {
    const directory = aDirectory(t);
    const journal = new MemoryJournal();
    const runner = new FakeRunner();
    const opening = { journal, everything: journal.everything, runner, now: () => 5 };
    const core = await openCore({ ...NAMES, listen: [], directory }, opening);
    const bob = parseName('bob');
    assert.ok(!('refused' in bob));
    const started = await core.detachments.start({
      run: core.records.newRun(),
      starter: { by: 1, byName: bob.name, address: '::1' },
      host: 'Server',
      command: { kind: 'shell', line: 'sleep 1000' },
      wishes: { env: {}, takesInput: false },
      onRecorded() {},
    });
    assert.equal(started, undefined);
    assert.equal(runner.runs.length, 1);
    await core.close(AbortSignal.abort());
    const next = new MemoryJournal({ after: journal });
    assert.equal(next.everything.runs.unended.length, 1);
  },
);

test('after a server was killed it is known when its machines were last here', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const journal = new MemoryJournal();
  const web1 = { ...anAccount(7, 'web1'), kind: 'host' } as const;
  assert.equal(await record(journal, { type: 'account-added', account: web1 }), undefined);
  const killed = new MemoryJournal({ after: journal });
  const opening = { journal: killed, everything: killed.everything, runner: new FakeRunner(), now: () => 5 };
  const { hub, hosts } = await openCore({ ...NAMES, listen: [], directory: aDirectory(t) }, opening);
  const member = hub.directory.account(web1.key) ?? assert.fail('it has no account');
  const nothing = () => assert.fail('nothing is to be started');
  const detached = { start: nothing, attach: nothing, ended: nothing, cancel: nothing };
  const facts = { labels: new Map(), family: 'ipv6', rttMs: undefined, dismiss: nothing } as const;
  const machine = { ...facts, runner: { start: nothing }, detached, heardAtMs: 1_000 };
  hosts.enter(member, machine);
  machine.heardAtMs = 9_000;
  t.mock.timers.tick(1_000);
  await new Promise((resolve) => killed.settle(() => resolve(undefined)));
  const seen = new MemoryJournal({ after: killed }).everything.machines.map(({ account, atMs }) => [account, atMs]);
  assert.deepEqual(seen, [[7, 9_000]]);
});
