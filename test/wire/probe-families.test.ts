// `partyline echo HOST --probe` where a family is missing or broken on the way: which works, and the status that says so.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer } from '../kit/hosts.ts';
import { aPath, type Ways } from '../kit/path.ts';
import { probeFrom, working } from '../kit/probe.ts';

const PORT = 7270;
/** The probe waits 10 s for a family that swallows everything, and the paths are tried side by side. */
const TIMEOUT_MS = 60_000;

interface Expected {
  readonly what: string;
  readonly ways?: Ways;
  readonly asked: readonly string[];
  readonly status: number;
  readonly works: string;
  readonly winner: string | null;
}

const CASES: readonly Expected[] = [
  {
    what: 'both families are fine',
    asked: ['both.example.com'],
    status: 0,
    works: 'ipv4 and ipv6',
    winner: 'ipv6',
  },
  { what: 'one family is asked for', asked: ['both.example.com', '-4'], status: 0, works: 'ipv4', winner: 'ipv4' },
  { what: 'the other is asked for', asked: ['both.example.com', '-6'], status: 0, works: 'ipv6', winner: 'ipv6' },
  { what: 'a name has no AAAA', asked: ['four.example.com'], status: 1, works: 'ipv4', winner: 'ipv4' },
  { what: 'a name has no A', asked: ['six.example.com'], status: 2, works: 'ipv6', winner: 'ipv6' },
  { what: 'a name is nobody’s', asked: ['none.example.com'], status: 3, works: 'none', winner: null },
  {
    what: 'there is an AAAA and IPv6 vanishes',
    ways: { ipv6: 'dropped' },
    asked: ['both.example.com'],
    status: 1,
    works: 'ipv4',
    winner: 'ipv4',
  },
  {
    what: 'there is an AAAA and IPv6 is rejected',
    ways: { ipv6: 'rejected' },
    asked: ['both.example.com'],
    status: 1,
    works: 'ipv4',
    winner: 'ipv4',
  },
  {
    what: 'there is an A and IPv4 is rejected',
    ways: { ipv4: 'rejected' },
    asked: ['both.example.com'],
    status: 2,
    works: 'ipv6',
    winner: 'ipv6',
  },
  {
    what: 'both families are rejected',
    ways: { ipv4: 'rejected', ipv6: 'rejected' },
    asked: ['both.example.com'],
    status: 3,
    works: 'none',
    winner: null,
  },
];

test('a probe says which family works, and its status does', { timeout: TIMEOUT_MS, concurrency: 4 }, async (t) => {
  const tests = CASES.map(({ what, ways, asked, status, works, winner }) =>
    t.test(`where ${what}, ${works} works and the status is ${status}`, async (t) => {
      const path = await aPath(t, ways);
      if (path === undefined) return;
      await startServer(t, path.server, '--listen', `tcp+insecure://*:${PORT}`);
      const probed = await probeFrom(path.client, ...asked);
      const { report } = probed;
      assert.deepEqual([probed.status, working(probed), report.winner], [status, works, winner], report.verdict);
      for (const family of ['ipv4', 'ipv6'] as const) {
        const one = report[family];
        if (one === null) continue;
        assert.deepEqual(one.addresses, [path.server[family]]);
        assert.deepEqual([one.rtt.count, one.rtt.lost], [5, 0]);
      }
    }),
  );
  await Promise.all(tests);
});
