// A server that comes back at other addresses: `partyline echo HOST --probe` finds it there once its name says so, and a
// watch says that they are new.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { aDirectory } from '../kit/directory.ts';
import { startServer } from '../kit/hosts.ts';
import { printed } from '../kit/namespace.ts';
import { aPath, recordsOf } from '../kit/path.ts';
import { probeFrom, saysOf } from '../kit/probe.ts';
import { PARTYLINE } from '../kit/program.ts';

const LISTEN = ['--listen', 'tcp+insecure://*:7270'] as const;
const TIMEOUT_MS = 60_000;

test('a server that comes back elsewhere is found there once the name says so', { timeout: TIMEOUT_MS }, async (t) => {
  const path = await aPath(t);
  if (path === undefined) return;
  const probe = async (): Promise<unknown[]> => {
    const probed = await probeFrom(path.client, 'both.example.com');
    const { ipv4, ipv6 } = probed.report;
    return [probed.status, ipv4?.addresses, ipv6?.addresses, saysOf(probed)];
  };
  const works = ['both.example.com works over IPv4 and IPv6'];
  const first = await startServer(t, path.server, ...LISTEN);
  assert.deepEqual(await probe(), [0, ['198.51.100.2'], ['2001:db8:2::2'], works]);
  first.kill();
  await once(first, 'exit');
  path.moveServer();
  await startServer(t, path.server, ...LISTEN);
  await path.names.publish(recordsOf(path.server));
  assert.deepEqual(await probe(), [0, ['198.51.100.3'], ['2001:db8:2::3'], works]);
});

test('a watch marks the addresses that it has not seen before', { timeout: TIMEOUT_MS }, async (t) => {
  const path = await aPath(t);
  if (path === undefined) return;
  const first = await startServer(t, path.server, ...LISTEN);
  const words = [`PARTYLINE_DATA=${aDirectory(t)}`, PARTYLINE, 'echo', '--probe', '--watch', 'both.example.com'];
  const watch = path.client.start('env', ...words, '--every', '1', '--count', '2', '--interval', '0');
  watch.stderr.resume();
  await printed(watch.stdout, /both\.example\.com works over IPv4 and IPv6; .*\n.*IPv4 [\d.]+ ms; IPv6 [\d.]+ ms\n/);
  // The one that found them may have been before the server is there again.
  const told = printed(watch.stdout, /\[NEW ADDRESS\][^]* IPv4 [\d.]+ ms; IPv6 [\d.]+ ms\n/);
  first.kill();
  await once(first, 'exit');
  path.moveServer();
  await path.names.publish(recordsOf(path.server));
  await startServer(t, path.server, ...LISTEN);
  const news = [...(await told).matchAll(/\[NEW ADDRESS\] both\.example\.com is now (\S+)/g)].map(
    ([, address]) => address,
  );
  assert.deepEqual(news, [path.server.ipv4, path.server.ipv6]);
  const over = once(watch, 'exit');
  watch.kill('SIGINT');
  assert.deepEqual(await over, [0, null]);
});
