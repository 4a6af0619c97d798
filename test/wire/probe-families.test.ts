// `partyline echo HOST --probe` where a family is missing or broken on the way: which works, the status that says so, and
// the sentences of the verdict.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer } from '../kit/hosts.ts';
import { aPath, FAMILIES, type Ways } from '../kit/path.ts';
import { codesOf, probeFrom, saysOf, working } from '../kit/probe.ts';

const PORT = 7270;
/** The probe waits 10 s for a family that swallows everything, and the paths are tried side by side. */
const TIMEOUT_MS = 110_000;
const SIDE_BY_SIDE = 4;

interface Case {
  readonly what: string;
  readonly ways?: Ways;
  readonly asked: readonly string[];
  readonly status: number;
  readonly works: string;
  readonly winner: string | null;
  readonly says: readonly string[];
}

const CASES: readonly Case[] = [
  {
    what: 'both families are fine',
    asked: ['both.example.com'],
    status: 0,
    works: 'ipv4 and ipv6',
    winner: 'ipv6',
    says: ['both.example.com works over IPv4 and IPv6'],
  },
  {
    what: 'IPv4 is asked for',
    asked: ['both.example.com', '-4'],
    status: 0,
    works: 'ipv4',
    winner: 'ipv4',
    says: ['both.example.com works over IPv4'],
  },
  {
    what: 'IPv6 is asked for',
    asked: ['both.example.com', '-6'],
    status: 0,
    works: 'ipv6',
    winner: 'ipv6',
    says: ['both.example.com works over IPv6'],
  },
  {
    what: 'a name has no AAAA',
    asked: ['four.example.com'],
    status: 1,
    works: 'ipv4',
    winner: 'ipv4',
    says: ['four.example.com works over IPv4 only', 'four.example.com has no IPv6 address'],
  },
  {
    what: 'a name has no A',
    asked: ['six.example.com'],
    status: 2,
    works: 'ipv6',
    winner: 'ipv6',
    says: ['six.example.com works over IPv6 only', 'six.example.com has no IPv4 address'],
  },
  {
    what: 'a name is nobody’s',
    asked: ['none.example.com'],
    status: 3,
    works: 'none',
    winner: null,
    says: ['none.example.com does not resolve: no such name, or it has no address'],
  },
  {
    what: 'nothing listens on the port',
    asked: ['both.example.com:9'],
    status: 3,
    works: 'none',
    winner: null,
    says: [
      'both.example.com takes no connections on port 9',
      'IPv4 resolves and the host answers, but nothing listens on port 9 there (198.51.100.2: connection refused)',
      'IPv6 resolves and the host answers, but nothing listens on port 9 there (2001:db8:2::2: connection refused)',
    ],
  },
  {
    what: 'there is an AAAA and IPv6 vanishes',
    ways: { ipv6: 'dropped' },
    asked: ['both.example.com'],
    status: 1,
    works: 'ipv4',
    winner: 'ipv4',
    says: [
      'both.example.com works over IPv4 only',
      'IPv6 resolves, but nobody answers: packets are dropped on the way or by a firewall (2001:db8:2::2: no answer within 10 s)',
    ],
  },
  {
    what: 'there is an A and IPv4 vanishes',
    ways: { ipv4: 'dropped' },
    asked: ['both.example.com'],
    status: 2,
    works: 'ipv6',
    winner: 'ipv6',
    says: [
      'both.example.com works over IPv6 only',
      'IPv4 resolves, but nobody answers: packets are dropped on the way or by a firewall (198.51.100.2: no answer within 10 s)',
    ],
  },
  {
    what: 'there is an AAAA and IPv6 is rejected',
    ways: { ipv6: 'rejected' },
    asked: ['both.example.com'],
    status: 1,
    works: 'ipv4',
    winner: 'ipv4',
    says: [
      'both.example.com works over IPv4 only',
      'IPv6 resolves, but no way leads there (2001:db8:2::2: network unreachable)',
    ],
  },
  {
    what: 'there is an A and IPv4 is rejected',
    ways: { ipv4: 'rejected' },
    asked: ['both.example.com'],
    status: 2,
    works: 'ipv6',
    winner: 'ipv6',
    says: [
      'both.example.com works over IPv6 only',
      'IPv4 resolves, but no way leads there (198.51.100.2: network unreachable)',
    ],
  },
  {
    what: 'both families are rejected',
    ways: { ipv4: 'rejected', ipv6: 'rejected' },
    asked: ['both.example.com'],
    status: 3,
    works: 'none',
    winner: null,
    says: [
      'both.example.com does not answer',
      'IPv4 resolves, but no way leads there (198.51.100.2: network unreachable)',
      'IPv6 resolves, but no way leads there (2001:db8:2::2: network unreachable)',
    ],
  },
];

test(
  'a probe says which family works, and why the other does not',
  { timeout: TIMEOUT_MS, concurrency: SIDE_BY_SIDE },
  async (t) => {
    const tests = CASES.map(({ what, ways, asked, status, works, winner, says }) =>
      t.test(`where ${what}: ${works}, status ${status}`, async (t) => {
        const path = await aPath(t, ways);
        if (path === undefined) return;
        await startServer(t, path.server, '--listen', `tcp+insecure://*:${PORT}`);
        const probed = await probeFrom(path.client, ...asked);
        const { report } = probed;
        assert.deepEqual([probed.status, working(probed), report.winner], [status, works, winner], report.verdict);
        assert.deepEqual(saysOf(probed), says);
        // Of a family that is tried first and vanishes, what every new connection loses to it is told too.
        if (ways?.ipv6 === 'dropped') assert.ok(codesOf(probed).includes('race-cost'), report.verdict);
        for (const family of FAMILIES) {
          const one = report[family];
          if (one === null) continue;
          assert.deepEqual(one.addresses, [path.server[family]]);
          assert.deepEqual([one.rtt.count, one.rtt.lost], [5, 0]);
        }
      }),
    );
    await Promise.all(tests);
  },
);
