// `partyline echo HOST --probe --json` as a program sees it: a status and an object.

import assert from 'node:assert/strict';
import type { Host } from './namespace.ts';
import { PARTYLINE } from './program.ts';

export interface FamilyReport {
  readonly addresses: readonly string[];
  readonly connectMs: number;
  readonly rtt: Readonly<Record<'count' | 'lost' | 'min' | 'p50' | 'p95' | 'p99' | 'max', number>>;
}

export interface ProbeReport {
  readonly host: string;
  readonly ipv4: FamilyReport | null;
  readonly ipv6: FamilyReport | null;
  readonly winner: 'ipv4' | 'ipv6' | null;
  readonly verdict: string;
  readonly findings: readonly Finding[];
}

interface Finding {
  readonly code: string;
  readonly says: string;
}

export interface Probed {
  readonly status: number | null;
  readonly report: ProbeReport;
}

/** Few echoes and no pauses, unless `args` say otherwise. */
export async function probeFrom(host: Host, ...args: readonly string[]): Promise<Probed> {
  const few = ['--count=5', '--interval=0'].filter((one) => !args.includes(one.slice(0, one.indexOf('='))));
  const words = [...few, ...args];
  const { probed, stderr } = await probeWith('/nonexistent', host, ...words);
  assert.equal(stderr, '');
  return probed;
}

/** Servers that are met by TLS are remembered in `data`. */
export async function probeWith(
  data: string,
  host: Host,
  ...args: readonly string[]
): Promise<{ probed: Probed; stderr: string }> {
  const words = [`PARTYLINE_DATA=${data}`, PARTYLINE, 'echo', '--probe', '--json', ...args];
  const { status, stdout, stderr } = await host.run('', 'env', ...words);
  assert.match(stdout, /^\{.*\}\n$/, stderr);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the command promises; the tests look at it
  return { probed: { status, report: JSON.parse(stdout) as ProbeReport }, stderr };
}

/** Which families work, in a word, as a test compares it. */
export function working({ report }: Probed): string {
  return [report.ipv4 === null ? [] : 'ipv4', report.ipv6 === null ? [] : 'ipv6'].flat().join(' and ') || 'none';
}

/** What a slow moment of the machine may add or change. */
const OF_TIME = new Set(['same-speed', 'faster', 'slow-name', 'race-cost', 'resent']);

/** The sentences of the verdict, but for those about times: a test that expects one of them looks for it. */
export function saysOf({ report }: Probed): string[] {
  return report.findings.filter(({ code }) => !OF_TIME.has(code)).map(({ says }) => says);
}

export function codesOf({ report }: Probed): string[] {
  return report.findings.map(({ code }) => code);
}
