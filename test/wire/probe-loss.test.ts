// `partyline echo HOST --probe` where packets get lost: TCP sends them again, so that no echo is lost, and some are late.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer } from '../kit/hosts.ts';
import { aPath, FAMILIES } from '../kit/path.ts';
import { probeFrom, saysOf } from '../kit/probe.ts';

const PORT = 7270;
const TIMEOUT_MS = 60_000;
/** What Linux waits at the least before it sends again (TCP_RTO_MIN; RFC 6298 would have a second). */
const RESEND_MS = 200;

for (const family of FAMILIES) {
  const other = family === 'ipv4' ? 'ipv6' : 'ipv4';
  test(
    `where ${family} loses every tenth packet it works, and its late echoes are told`,
    { timeout: TIMEOUT_MS },
    async (t) => {
      const path = await aPath(t, { [family]: { losesEvery: 10 } });
      if (path === undefined) return;
      await startServer(t, path.server, '--listen', `tcp+insecure://*:${PORT}`);
      const probed = await probeFrom(path.client, 'both.example.com', '--count', '20');
      const { [family]: lossy, [other]: clean } = probed.report;
      assert.ok(probed.status === 0 && lossy !== null && clean !== null, probed.report.verdict);
      assert.deepEqual([lossy.rtt.lost, clean.rtt.lost], [0, 0]);
      // Of 20 echoes two at least were sent again.
      assert.ok(lossy.rtt.p95 >= RESEND_MS && clean.rtt.p50 < RESEND_MS, JSON.stringify({ lossy, clean }));
      assert.deepEqual(saysOf(probed), ['both.example.com works over IPv4 and IPv6']);
      const told = probed.report.findings.filter(({ code }) => code === 'resent').map(({ says }) => says);
      const name = family === 'ipv4' ? 'IPv4' : 'IPv6';
      assert.match(
        told.join('; '),
        new RegExp(`^\\d+ of 20 echoes over ${name} took up to [\\d.,]+ m?s longer than usual`),
      );
    },
  );
}
