// `partyline echo HOST --probe` over paths that work and are not as they should be: a black hole for large packets, loss,
// translated addresses, and a server that comes back elsewhere.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { startServer } from '../kit/hosts.ts';
import { printed } from '../kit/namespace.ts';
import { aPath, FAMILIES, recordsOf } from '../kit/path.ts';
import { needs } from '../kit/needs.ts';
import { probeFrom, working } from '../kit/probe.ts';

const PORT = 7270;
const LISTEN = ['--listen', `tcp+insecure://*:${PORT}`] as const;
const TIMEOUT_MS = 60_000;

/** What every IPv6 link carries (RFC 8200 section 5). */
const IPV6_MINIMUM_MTU_BYTES = 1_280;
/** An IPv6 and a TCP header with its time stamps. */
const HEADER_BYTES = 72;

test('over a black hole small echoes come back and large ones do not', { timeout: TIMEOUT_MS }, async (t) => {
  const path = await aPath(t, { ipv6: { dropsOverBytes: IPV6_MINIMUM_MTU_BYTES } });
  if (path === undefined) return;
  await startServer(t, path.server, ...LISTEN);
  const largest = IPV6_MINIMUM_MTU_BYTES - HEADER_BYTES;
  const fits = await probeFrom(path.client, 'both.example.com', '--count', '2', '--size', String(largest));
  assert.deepEqual([fits.status, working(fits)], [0, 'ipv4 and ipv6'], fits.report.verdict);
  // One byte more. A lost echo is waited for 5 s.
  const tooLarge = ['both.example.com', '--count', '1', '--size', String(largest + 1)];
  const vanishes = await probeFrom(path.client, ...tooLarge);
  assert.deepEqual([vanishes.status, working(vanishes)], [1, 'ipv4'], vanishes.report.verdict);
});

test('where packets are lost no echo is, but some are late', { timeout: TIMEOUT_MS }, async (t) => {
  const path = await aPath(t, { ipv4: { losesEvery: 10 } });
  if (path === undefined) return;
  await startServer(t, path.server, ...LISTEN);
  const { status, report } = await probeFrom(path.client, 'both.example.com', '--count', '20');
  assert.ok(status === 0 && report.ipv4 !== null && report.ipv6 !== null, report.verdict);
  assert.deepEqual([report.ipv4.rtt.lost, report.ipv6.rtt.lost], [0, 0]);
  // TCP sends again after 200 ms at the earliest (RFC 6298, as Linux has it): of 20 echoes two were such.
  assert.ok(report.ipv4.rtt.p95 >= 200, `p95 ${report.ipv4.rtt.p95} ms`);
  assert.ok(report.ipv6.rtt.p95 < 200, `p95 ${report.ipv6.rtt.p95} ms`);
});

test('where addresses are translated the server says which one it sees', { timeout: TIMEOUT_MS }, async (t) => {
  const path = needs(t, ['socat']) ? await aPath(t, { ipv4: 'translated', ipv6: 'translated' }) : undefined;
  if (path === undefined) return;
  await startServer(t, path.server, ...LISTEN);
  const probed = await probeFrom(path.client, 'both.example.com');
  assert.deepEqual([probed.status, working(probed)], [0, 'ipv4 and ipv6'], probed.report.verdict);
  for (const family of FAMILIES) {
    const host = family === 'ipv4' ? path.server.ipv4 : `[${path.server.ipv6}]`;
    const echo = path.client.start('socat', '-', `TCP:${host}:${PORT}`);
    echo.stdin.write('ECHO me\n');
    const greeting = await printed(echo.stdout, /\n/);
    assert.deepEqual(greeting.split(' ').slice(0, 3), ['ECHO', 'Server', path.translatedTo[family]]);
  }
});

test('a server that comes back elsewhere is found there once the name says so', { timeout: TIMEOUT_MS }, async (t) => {
  const path = await aPath(t);
  if (path === undefined) return;
  const first = await startServer(t, path.server, ...LISTEN);
  const addressesIn = async (): Promise<unknown[]> => {
    const { status, report } = await probeFrom(path.client, 'both.example.com');
    return [status, report.ipv4?.addresses, report.ipv6?.addresses];
  };
  const before = [path.server.ipv4, path.server.ipv6];
  assert.deepEqual(await addressesIn(), [0, [before[0]], [before[1]]]);
  first.kill();
  await once(first, 'exit');
  path.moveServer();
  await startServer(t, path.server, ...LISTEN);
  await path.names.publish(recordsOf(path.server));
  assert.notDeepEqual([path.server.ipv4, path.server.ipv6], before);
  assert.deepEqual(await addressesIn(), [0, [path.server.ipv4], [path.server.ipv6]]);
});
