// The times of `partyline echo HOST --probe` against a delay that is known: what the machine and the program add to it is
// less than a millisecond.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer } from '../kit/hosts.ts';
import { aPath, FAMILIES } from '../kit/path.ts';
import { type FamilyReport, probeFrom } from '../kit/probe.ts';

const PORT = 7270;
const TIMEOUT_MS = 60_000;
/**
 * IPv6 is tried first and would win the race, and the first connection of a program is slower by the code that is
 * loaded for it (docs/protocol/echo.md): with more than 250 ms it is the second one.
 */
const LATE_MS = { ipv4: 80, ipv6: 300 } as const;
/** How far from the truth a time may be. */
const NEAR_MS = 1;
/** Noise of the machine only ever adds to a time: the nearest of so many is what the program itself does. */
const TRIES = 10;

for (const family of FAMILIES) {
  const lateByMs = LATE_MS[family];
  const other = family === 'ipv4' ? 'ipv6' : 'ipv4';
  test(
    `where ${family} is ${lateByMs} ms late, connecting and an echo take as long`,
    { timeout: TIMEOUT_MS },
    async (t) => {
      const path = await aPath(t, { [family]: { lateByMs } });
      const slow = path?.slowLinks[family];
      if (path === undefined || slow === undefined) return;
      await startServer(t, path.server, '--listen', `tcp+insecure://*:${PORT}`);

      /** How much longer than the link has held its packet connecting took, and the quickest echo. */
      const excess = async (): Promise<{ connecting: number; echo: number }> => {
        const before = slow.held.length;
        const { status, report } = await probeFrom(path.client, 'both.example.com');
        const { [family]: late, [other]: prompt } = report;
        assert.ok(status === 0 && late !== null && prompt !== null, report.verdict);
        assert.ok(slowest(prompt) < lateByMs, JSON.stringify(prompt));
        const syn = slow.held.slice(before).findLast(({ isSyn }) => isSyn);
        assert.ok(syn !== undefined, 'no connection over the slow link');
        return { connecting: late.connectMs - syn.heldMs, echo: late.rtt.min - lateByMs };
      };

      let nearest = { connecting: Infinity, echo: Infinity };
      for (let tried = 0; tried < TRIES && Math.max(nearest.connecting, nearest.echo) >= NEAR_MS; tried++) {
        const { connecting, echo } = await excess();
        // Nothing is faster than the link.
        assert.ok(connecting >= 0 && echo >= 0, `${connecting} and ${echo} ms`);
        nearest = { connecting: Math.min(nearest.connecting, connecting), echo: Math.min(nearest.echo, echo) };
      }
      t.diagnostic(
        `over what was held: connecting ${nearest.connecting.toFixed(3)} ms, an echo ${nearest.echo.toFixed(3)} ms`,
      );
      assert.ok(nearest.connecting < NEAR_MS && nearest.echo < NEAR_MS, JSON.stringify(nearest));
    },
  );
}

function slowest({ connectMs, rtt }: FamilyReport): number {
  return Math.max(connectMs, rtt.p50);
}
