// The times of `partyline echo HOST --probe` against those on the wire, over a link whose delay is known: what the
// program adds to them is less than a millisecond.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Capture, type Packet, type Segment } from '../kit/capture.ts';
import { startServer } from '../kit/hosts.ts';
import { aPath, FAMILIES } from '../kit/path.ts';
import { needs } from '../kit/needs.ts';
import { probeFrom } from '../kit/probe.ts';

const PORT = 7270;
const TIMEOUT_MS = 60_000;
const LATE_MS = 80;
/** How far from the truth a time may be. */
const NEAR_MS = 1;
/** Noise of the machine only ever adds to a time: the nearest of so many is what the program itself does. */
const TRIES = 6;
const ECHO_BYTES = 64;
const ECHOES = 5;

/** From an address to the port and back, or the other way round. */
interface Turn {
  readonly out: Segment;
  readonly back: Segment;
}

const tookMs = ({ out, back }: Turn): number => (back.atMs ?? NaN) - (out.atMs ?? NaN);

/** Each segment that `is` from that address, with the first one like it that came back on the same connection. */
function turns(packets: readonly Packet[], from: string, is: (segment: Segment) => boolean): Turn[] {
  const segments = packets.filter((packet) => packet.kind === 'segment').filter(is);
  return segments.flatMap((out, at) => {
    if (!out.from.startsWith(`${from}.`)) return [];
    const back = segments.slice(at).find(({ to }) => to === out.from);
    return back === undefined ? [] : [{ out, back }];
  });
}

const connections = (packets: readonly Packet[], from: string): Turn[] =>
  turns(packets, from, ({ flags }) => flags.includes('S'));
const echoes = (packets: readonly Packet[], from: string): Turn[] =>
  turns(packets, from, ({ length }) => length === ECHO_BYTES);

for (const family of FAMILIES) {
  const other = family === 'ipv4' ? 'ipv6' : 'ipv4';
  test(
    `where ${family} is ${LATE_MS} ms late, connecting and an echo take as long`,
    { timeout: TIMEOUT_MS },
    async (t) => {
      const path = needs(t, ['tcpdump']) ? await aPath(t, { [family]: { lateByMs: LATE_MS } }) : undefined;
      if (path === undefined) return;
      const from = path.client[family];
      await startServer(t, path.server, '--listen', `tcp+insecure://*:${PORT}`);

      /** How much longer than on the wire connecting took, and the quickest echo. */
      const excess = async (): Promise<{ connecting: number; echo: number }> => {
        const capture = await Capture.start(path.client, `tcp port ${PORT}`);
        const asked = ['both.example.com', '--count', String(ECHOES), '--size', String(ECHO_BYTES)];
        const { status, report } = await probeFrom(path.client, ...asked);
        const { [family]: late, [other]: prompt } = report;
        assert.ok(status === 0 && late !== null && prompt !== null, report.verdict);
        // One is enough: over a late link none is so quick, and a slow moment of the machine is nobody's link.
        assert.ok(prompt.rtt.min < LATE_MS, JSON.stringify(prompt));
        await capture.until((packets) => echoes(packets, from).length >= ECHOES);
        const { packets } = capture;
        const [handshakes, rounds] = [connections(packets, from).map(tookMs), echoes(packets, from).map(tookMs)];
        // The link is what it says, and no time is shorter than the truth.
        assert.ok(Math.min(...handshakes, ...rounds) >= LATE_MS, `${handshakes.join(' ')}, ${rounds.join(' ')}`);
        const overs = handshakes.map((truth) => late.connectMs - truth).filter((over) => over >= 0);
        return { connecting: Math.min(...overs), echo: late.rtt.min - Math.min(...rounds) };
      };

      let nearest = { connecting: Infinity, echo: Infinity };
      for (let tried = 0; tried < TRIES && Math.max(nearest.connecting, nearest.echo) >= NEAR_MS; tried++) {
        const { connecting, echo } = await excess();
        assert.ok(connecting >= 0 && echo >= 0, `${connecting} and ${echo} ms`);
        nearest = { connecting: Math.min(nearest.connecting, connecting), echo: Math.min(nearest.echo, echo) };
      }
      t.diagnostic(
        `over the wire’s time: connecting ${nearest.connecting.toFixed(3)} ms, an echo ${nearest.echo.toFixed(3)} ms`,
      );
      assert.ok(nearest.connecting < NEAR_MS && nearest.echo < NEAR_MS, JSON.stringify(nearest));
    },
  );
}
