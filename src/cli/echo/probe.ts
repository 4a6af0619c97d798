// `partyline echo --probe`: the measurement as one screen for a person, or as one JSON object for a program, and a status
// that says which family works.

import { isIP } from 'node:net';
import { probe } from '../../client/probe.ts';
import type { ProbeFacts } from '../../client/probe/facts.ts';
import { findingsOf, isWorking } from '../../client/verdict.ts';
import { normaliseAddress } from '../../net/peer.ts';
import type { AddressFamily } from '../../net/race.ts';
import { jsonLine } from '../kit/json-line.ts';
import { trustFor } from '../kit/trust.ts';
import type { EchoIo } from './io.ts';
import { Live } from './live.ts';
import { lookOf } from './look.ts';
import type { EchoArguments, ProbeArguments } from './options.ts';
import { probeObject } from './probe-json.ts';
import { textReport } from './report.ts';

const EVERY_FAMILY_WORKS = 0;
const ONLY_IPV4_WORKS = 1;
const ONLY_IPV6_WORKS = 2;
const NONE_WORKS = 3;

export async function runProbe(given: EchoArguments, how: ProbeArguments, io: EchoIo): Promise<number> {
  const facts = await measure(given, how, io);
  const findings = findingsOf(facts);
  const report = given.json
    ? jsonLine(probeObject(facts, findings, new Date()))
    : textReport(facts, findings, lookOf(io));
  await new Promise((written) => io.stdout.write(report, written));
  return statusOf(facts);
}

async function measure(given: EchoArguments, how: ProbeArguments, io: EchoIo): Promise<ProbeFacts> {
  const { host, port, name } = given;
  const tls = given.isTls ? trustFor('echo', io) : undefined;
  const live = lookOf(io).isLive && !given.json ? new Live(io.stdout, () => lookOf(io)) : undefined;
  try {
    return await probe({
      ...how,
      host,
      port,
      name,
      tls,
      families: familiesAskedFor(given),
      lookup: io.lookup,
      onStage: (stage) => live?.stage(stage),
      onEcho: (family, tookMs) => live?.echo(family, tookMs),
    });
  } finally {
    live?.clear();
  }
}

/** Both, unless an option or a literal address says otherwise. */
function familiesAskedFor({ host, family }: EchoArguments): AddressFamily[] {
  if (family !== undefined) return [family];
  const literal = isIP(normaliseAddress(host));
  return literal === 4 || literal === 6 ? [literal] : [4, 6];
}

export function statusOf(facts: ProbeFacts): number {
  const all = [...facts.families.keys()];
  const working = all.filter((family) => isWorking(family, facts));
  if (working.length === 0) return NONE_WORKS;
  if (working.length === all.length) return EVERY_FAMILY_WORKS;
  return working[0] === 4 ? ONLY_IPV4_WORKS : ONLY_IPV6_WORKS;
}
