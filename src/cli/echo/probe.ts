// `partyline echo --probe`: the measurement in a few lines for a person, or in one JSON object for a program, and a
// status that says which family works.

import { isIP } from 'node:net';
import { probe, type FamilyProbe, type Probe } from '../../client/probe.ts';
import { normaliseAddress } from '../../net/peer.ts';
import type { AddressFamily } from '../../net/race.ts';
import { escapeControls } from '../../protocol/text.ts';
import type { EchoArguments, ProbeArguments } from './options.ts';
import type { EchoIo } from './io.ts';
import { jsonLine } from '../kit/json-line.ts';
import { trustFor } from '../kit/trust.ts';

const EVERY_FAMILY_WORKS = 0;
const ONLY_IPV4_WORKS = 1;
const ONLY_IPV6_WORKS = 2;
const NONE_WORKS = 3;

export async function runProbe(given: EchoArguments, how: ProbeArguments, io: EchoIo): Promise<number> {
  const families = familiesAskedFor(given);
  const { host, port, name } = given;
  const tls = given.isTls ? trustFor('echo', io) : undefined;
  const measured = await probe({ host, port, name, families, tls, ...how, lookup: io.lookup });
  const verdict = verdictOf(host, measured);
  const report = given.json ? jsonReport(host, measured, verdict) : textReport(given, measured, verdict);
  await new Promise((written) => io.stdout.write(report, written));
  return statusOf(measured);
}

/** Both, unless an option or a literal address says otherwise. */
function familiesAskedFor({ host, family }: EchoArguments): AddressFamily[] {
  if (family !== undefined) return [family];
  const literal = isIP(normaliseAddress(host));
  return literal === 4 || literal === 6 ? [literal] : [4, 6];
}

export function statusOf({ families }: Probe): number {
  const working = workingOf(families);
  if (working.length === 0) return NONE_WORKS;
  if (working.length === families.size) return EVERY_FAMILY_WORKS;
  return working[0] === 4 ? ONLY_IPV4_WORKS : ONLY_IPV6_WORKS;
}

function workingOf(families: Probe['families']): AddressFamily[] {
  return [...families].flatMap(([family, { works }]) => (works ? [family] : []));
}

/** What the numbers mean, in one sentence. */
export function verdictOf(host: string, { families }: Probe): string {
  const working = workingOf(families);
  const broken = [...families].flatMap(([family, one]) => (one.works ? [] : [`IPv${family}: ${one.why}`]));
  if (working.length === 0) return `${host} does not answer (${broken.join('; ')})`;
  const works = `${host} works over ${working.map((family) => `IPv${family}`).join(' and ')}`;
  const notes = [...broken.map((why) => `not over ${why}`), ...losses(families), ...comparison(families)];
  return [working.length < families.size ? `${works} only` : works, ...notes].join('; ');
}

function losses(families: Probe['families']): string[] {
  return [...families].flatMap(([family, one]) =>
    one.works && one.rtt.lost > 0 ? [`IPv${family} lost ${one.rtt.lost} of ${one.rtt.count} echoes`] : [],
  );
}

/** Less than this between two medians is nothing that a person would notice or should act on. */
const NOTICEABLE_MS = 1;

function comparison(families: Probe['families']): string[] {
  const [v4, v6] = [families.get(4), families.get(6)];
  if (v4?.works !== true || v6?.works !== true) return [];
  const byMs = v6.rtt.p50 - v4.rtt.p50;
  if (Math.abs(byMs) < NOTICEABLE_MS) return ['both are equally fast'];
  return [`IPv${byMs > 0 ? 4 : 6} is ${Math.abs(byMs).toFixed(1)} ms faster`];
}

function jsonReport(host: string, { families, winner }: Probe, verdict: string): string {
  const fields = (family: AddressFamily) => {
    const one = families.get(family);
    return one?.works === true ? { addresses: one.addresses, connectMs: one.connectMs, rtt: one.rtt } : null;
  };
  const failures = Object.fromEntries(
    [...families].flatMap(([family, one]) =>
      one.works ? [] : [[`ipv${family}`, { addresses: one.addresses, why: one.why }]],
    ),
  );
  const won = winner === undefined ? null : `ipv${winner}`;
  return jsonLine({ host, ipv4: fields(4), ipv6: fields(6), winner: won, verdict, failures });
}

function textReport({ host, port }: EchoArguments, { families, winner }: Probe, verdict: string): string {
  const lines = [`Probing ${host} port ${port}`];
  for (const [family, one] of families) lines.push(...familyLines(family, one));
  if (families.size > 1 && winner !== undefined) lines.push(`Race  won by IPv${winner}`);
  lines.push(verdict);
  return `${lines.map(escapeControls).join('\n')}\n`;
}

function familyLines(family: AddressFamily, one: FamilyProbe): string[] {
  const title = `IPv${family}  `;
  if (!one.works) return [`${title}${one.why}`];
  const { count, lost, min, p50, p95, p99, max } = one.rtt;
  return [
    `${title}${one.addresses.join(' ')}, connected in ${ms(one.connectMs)} ms`,
    `      ${count} echoes, ${lost} lost; ms: min ${ms(min)}, p50 ${ms(p50)}, p95 ${ms(p95)}, p99 ${ms(p99)}, max ${ms(max)}`,
  ];
}

function ms(value: number): string {
  return value.toFixed(3);
}
