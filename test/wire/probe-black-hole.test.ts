// `partyline echo HOST --probe` over a path that drops large packets and tells nobody: connecting works, and whoever
// sends much waits for ever. The verdict names the packet to the byte, and the way that it is lost on.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aDirectory } from '../kit/directory.ts';
import { startServer } from '../kit/hosts.ts';
import { aPath, type FamilyName, type Way } from '../kit/path.ts';
import { codesOf, probeFrom, probeWith, saysOf, working } from '../kit/probe.ts';

const PORT = 7270;
const LISTEN = ['--listen', `tcp+insecure://*:${PORT}`, '--listen', 'tls://*:7271'] as const;
const TIMEOUT_MS = 60_000;

interface Hole {
  readonly family: FamilyName;
  readonly way: Extract<Way, { dropsOverBytes: number }>;
  readonly status: number;
  readonly says: readonly string[];
}

const HOLES: readonly Hole[] = [
  {
    family: 'ipv6',
    way: { dropsOverBytes: 1_280 },
    status: 1,
    says: [
      'both.example.com works over IPv4 only',
      'IPv6 resolves and connects, but nothing larger than 1,208 bytes comes back: path-MTU black hole on IPv6 (a packet of 1,280 bytes passes, a larger one is lost without a word, on the way there)',
    ],
  },
  {
    family: 'ipv6',
    way: { dropsOverBytes: 1_400, only: 'way-back' },
    status: 1,
    says: [
      'both.example.com works over IPv4 only',
      'IPv6 resolves and connects, but nothing larger than 1,328 bytes comes back: path-MTU black hole on IPv6 (a packet of 1,400 bytes passes, a larger one is lost without a word, on the way back)',
    ],
  },
  {
    family: 'ipv4',
    way: { dropsOverBytes: 1_280, only: 'way-there' },
    status: 2,
    says: [
      'both.example.com works over IPv6 only',
      'IPv4 resolves and connects, but nothing larger than 1,228 bytes comes back: path-MTU black hole on IPv4 (a packet of 1,280 bytes passes, a larger one is lost without a word, on the way there)',
    ],
  },
];

test('a black hole is named with its size and its way', { timeout: TIMEOUT_MS, concurrency: true }, async (t) => {
  const tests = HOLES.map(({ family, way, status, says }) =>
    t.test(
      `over ${family}, of ${way.dropsOverBytes} bytes${way.only === undefined ? '' : `, ${way.only}`}`,
      async (t) => {
        const path = await aPath(t, { [family]: way });
        if (path === undefined) return;
        await startServer(t, path.server, ...LISTEN);
        const probed = await probeFrom(path.client, 'both.example.com');
        assert.deepEqual([probed.status, saysOf(probed)], [status, says]);
      },
    ),
  );
  await Promise.all(tests);
});

test('one of every size is found where the first echoes are lost in it already', { timeout: TIMEOUT_MS }, async (t) => {
  const path = await aPath(t, { ipv6: { dropsOverBytes: 1_280 } });
  if (path === undefined) return;
  await startServer(t, path.server, ...LISTEN);
  const probed = await probeFrom(path.client, 'both.example.com', '--count', '1', '--size', '1209');
  assert.deepEqual([probed.status, working(probed), codesOf(probed)], [1, 'ipv4', ['works', 'black-hole']]);
});

test('what only connects does not see it', { timeout: TIMEOUT_MS }, async (t) => {
  const path = await aPath(t, { ipv6: { dropsOverBytes: 1_280 } });
  if (path === undefined) return;
  await startServer(t, path.server, ...LISTEN);
  const { probed } = await probeWith('/nonexistent', path.client, 'both.example.com', '--connect');
  const says = ['both.example.com port 7270 connects over IPv4 and IPv6; nothing was sent'];
  assert.deepEqual([probed.status, saysOf(probed)], [0, says]);
});

test('TLS that is lost in it is told apart from TLS that is refused', { timeout: TIMEOUT_MS }, async (t) => {
  const path = await aPath(t, { ipv6: { dropsOverBytes: 1_280 } });
  if (path === undefined) return;
  await startServer(t, path.server, ...LISTEN);
  const { probed } = await probeWith(aDirectory(t), path.client, 'tls://both.example.com:7271');
  assert.deepEqual([probed.status, working(probed)], [1, 'ipv4'], probed.report.verdict);
  const [, why = ''] = saysOf(probed);
  assert.match(why, /^IPv6 connects, but TLS does not come about: .*; so it is where large packets get lost, /);
});
