// The line protocol between two hosts, with nc as the client, over both families: who may come in from elsewhere, and
// that a server listens in plain text beyond loopback only when its address says so.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { aDirectory } from '../kit/directory.ts';
import { startServer, twoHosts } from '../kit/hosts.ts';
import { type Host, printed } from '../kit/namespace.ts';
import { needs } from '../kit/needs.ts';
import { PARTYLINE } from '../kit/program.ts';

const PORT = 7270;
const TIMEOUT_MS = 60_000;

async function hostsFor(t: TestContext): Promise<{ server: Host; client: Host } | undefined> {
  return needs(t, ['ip', 'dnsmasq', 'nc'], { root: true, netns: true }) ? twoHosts(t) : undefined;
}

/** -N: closes its half at the end of the input, and stays until the server has closed too. */
function nc(address: string): readonly [string, ...string[]] {
  return ['nc', '-n', '-N', address, String(PORT)];
}

test('on an open server people on another host talk over both families', { timeout: TIMEOUT_MS }, async (t) => {
  const hosts = await hostsFor(t);
  if (hosts === undefined) return;
  const { server, client } = hosts;
  await startServer(t, server, '--open', '--listen', `tcp+insecure://*:${PORT}`);
  for (const [mine, theirs] of [
    [server.ipv4, server.ipv6],
    [server.ipv6, server.ipv4],
  ] as const) {
    await t.test(`from one over ${theirs} to one over ${mine}`, async (t) => {
      const janaki = client.start(...nc(mine));
      t.after(() => janaki.kill());
      janaki.stdin.write('Janaki\n');
      await printed(janaki.stdout, /Connected with Server at date_time = /);
      const heard = printed(janaki.stdout, /^Vamshi \(broadcasted\) : hello from afar$/m);
      const vamshi = await client.run('Vamshi\nsend all hello from afar\nquit\n', ...nc(theirs));
      assert.equal(vamshi.status, 0, vamshi.stderr);
      // Whether the prompt is seen depends on which comes first, the prompt or the name.
      assert.match(vamshi.stdout, /^(?:Enter your name: )?Connected with Server at date_time = /);
      assert.doesNotMatch(vamshi.stdout, /^error: /m);
      await heard;
      janaki.stdin.end('quit\n');
      await once(janaki, 'close');
      assert.equal(janaki.exitCode, 0);
    });
  }
});

test('a guest from another host is refused where the server is not open', { timeout: TIMEOUT_MS }, async (t) => {
  const hosts = await hostsFor(t);
  if (hosts === undefined) return;
  const { server, client } = hosts;
  await startServer(t, server, '--listen', `tcp+insecure://*:${PORT}`);
  for (const address of [server.ipv4, server.ipv6]) {
    const { stdout } = await client.run('Vamshi\nsend all hello\nget_list\nquit\n', ...nc(address));
    assert.match(stdout, /^(?:Enter your name: )?error: /, address);
    assert.doesNotMatch(stdout, /Connected with|Available client/, address);
  }
  // On its own host, over loopback, the same guest is welcome.
  for (const address of ['127.0.0.1', '::1']) {
    const { stdout } = await server.run('Vamshi\nquit\n', ...nc(address));
    assert.match(stdout, /Connected with Server/, address);
  }
});

test('plain text beyond loopback is refused at start unless the URL says so', { timeout: TIMEOUT_MS }, async (t) => {
  const hosts = await hostsFor(t);
  if (hosts === undefined) return;
  const { server } = hosts;
  const data = aDirectory(t);
  for (const url of [`tcp://*:${PORT}`, `tcp://${server.ipv4}:${PORT}`, `echo://[${server.ipv6}]:${PORT}`]) {
    const { status, stdout, stderr } = await server.run('', PARTYLINE, 'serve', '--data', data, '--listen', url);
    assert.equal(status, 1, url);
    assert.doesNotMatch(stdout, /listening on|ready/, url);
    assert.equal(stderr.split('\n').length, 2, `one line: ${stderr}`);
    assert.ok(stderr.includes('+insecure'), stderr);
  }
});
