// `partyline echo HOST --probe --json` as a program sees it: a status and an object.

import assert from 'node:assert/strict';
import { PARTYLINE } from './hosts.ts';
import type { Host } from './namespace.ts';

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
}

export interface Probed {
  readonly status: number | null;
  readonly report: ProbeReport;
}

/** Few echoes and no pauses, unless `args` say otherwise: the last counts. */
export async function probeFrom(host: Host, ...args: readonly string[]): Promise<Probed> {
  const words = ['echo', '--probe', '--json', '--count', '5', '--interval', '0', ...args];
  const { status, stdout, stderr } = await host.run('', PARTYLINE, ...words);
  assert.equal(stderr, '');
  assert.match(stdout, /^\{.*\}\n$/);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the command promises; the tests look at it
  return { status, report: JSON.parse(stdout) as ProbeReport };
}

/** Which families work, in a word, as a test compares it. */
export function working({ report }: Probed): string {
  return [report.ipv4 === null ? [] : 'ipv4', report.ipv6 === null ? [] : 'ipv6'].flat().join(' and ') || 'none';
}
