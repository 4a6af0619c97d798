// `partyline echo HOST --probe` where addresses are translated on the way: what the server sees of us says so.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer } from '../kit/hosts.ts';
import { NAT64_PREFIX, startNat64, translatedRecords } from '../kit/nat64.ts';
import { needs } from '../kit/needs.ts';
import { aPath } from '../kit/path.ts';
import { probeFrom, saysOf } from '../kit/probe.ts';

const LISTEN = ['--listen', 'tcp+insecure://*:7270'] as const;
const TIMEOUT_MS = 60_000;

test('where the router puts its own address, of either family, that is a NAT', { timeout: TIMEOUT_MS }, async (t) => {
  const path = await aPath(t, { ipv4: 'translated', ipv6: 'translated' });
  if (path === undefined) return;
  await startServer(t, path.server, ...LISTEN);
  const probed = await probeFrom(path.client, 'both.example.com');
  const { ipv4, ipv6 } = path.translatedTo;
  assert.deepEqual(saysOf(probed), [
    'both.example.com works over IPv4 and IPv6',
    `a NAT (or a proxy) is on the way over IPv4: ${path.client.ipv4} here is ${ipv4} there`,
    `a NAT (or a proxy) is on the way over IPv6: ${path.client.ipv6} here is ${ipv6} there`,
  ]);
  assert.equal(probed.status, 0);
});

test(
  'what looks like IPv6 and is translated to IPv4 is told as NAT64, with the address it stands for',
  { timeout: TIMEOUT_MS },
  async (t) => {
    const path = needs(t, ['tayga'], { root: true, netns: true, tunnels: true }) ? await aPath(t) : undefined;
    if (path === undefined) return;
    await startServer(t, path.server, ...LISTEN);
    await startNat64(t, path.router);
    await path.names.publish(translatedRecords('hub.example.com', path.server.ipv4));
    const probed = await probeFrom(path.client, 'hub.example.com', '-6');
    const [works, nat64 = '', ...others] = saysOf(probed);
    assert.deepEqual([probed.status, works, others], [0, 'hub.example.com works over IPv6', []]);
    const stands = `${NAT64_PREFIX}c633:6402 stands for ${path.server.ipv4}`;
    const seen = /; the server sees (203\.0\.113\.\d+)$/.exec(nat64)?.[1];
    assert.equal(
      nat64,
      `what looks like IPv6 goes through NAT64 and arrives as IPv4: ${stands}; the server sees ${seen}`,
    );
  },
);

test(
  'an address of 192.0.0.0/29 is known as this machine’s side of a translator',
  { timeout: TIMEOUT_MS },
  async (t) => {
    const path = await aPath(t, { ipv4: 'translated' });
    if (path === undefined) return;
    await startServer(t, path.server, ...LISTEN);
    // As 464XLAT has it on a telephone (RFC 6877); the translator is the router here.
    const clat = '192.0.0.4';
    const gateway = path.router.ipv4;
    await path.client.run('', 'ip', 'address', 'add', `${clat}/29`, 'dev', 'eth0');
    await path.client.run('', 'ip', 'route', 'replace', 'default', 'via', gateway, 'src', clat);
    await path.router.run('', 'ip', 'route', 'add', '192.0.0.0/29', 'dev', 'client');
    const probed = await probeFrom(path.client, 'four.example.com', '-4');
    assert.deepEqual(saysOf(probed), [
      'four.example.com works over IPv4',
      `IPv4 of this machine is translated before it leaves (464XLAT or DS-Lite: ${clat})`,
      `a NAT (or a proxy) is on the way over IPv4: ${clat} here is ${path.translatedTo.ipv4} there`,
    ]);
  },
);
