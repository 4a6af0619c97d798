// A probe as one object, for programs: everything that was found out.

import type { FamilyFacts, ProbeFacts } from '../../client/probe/facts.ts';
import { lossOf, spreadOf } from '../../client/probe/tally.ts';
import { usedAddress } from '../../client/probe/used.ts';
import { isWorking } from '../../client/verdict.ts';
import type { Finding } from '../../client/verdict/finding.ts';
import { sentenceOf } from '../../client/verdict/words.ts';
import type { AddressFamily } from '../../net/race.ts';

/** Times of single echoes that are told, the last ones: 100,000 would make a line of a megabyte. */
const MAX_TIMES = 1_000;

export function probeObject(facts: ProbeFacts, findings: readonly Finding[], at: Date): object {
  const { host, port, families, race, winner, nat64 } = facts;
  const told = [...families].map(([family, one]) => ({ family, one, works: isWorking(family, facts) }));
  const working = (family: AddressFamily) => {
    const found = told.find((each) => each.family === family && each.works);
    return found === undefined ? null : measured(found.one);
  };
  const failures = told.flatMap(({ family, one, works }) =>
    works ? [] : [[`ipv${family}`, { ...measured(one), why: whyNot(family, findings, facts) }]],
  );
  return {
    host,
    port,
    at: at.toISOString(),
    ipv4: working(4),
    ipv6: working(6),
    winner: winner === undefined ? null : `ipv${winner}`,
    verdict: verdictOf(findings, facts),
    findings: findings.map((finding) => ({ ...inWords(finding), says: sentenceOf(finding, facts) })),
    failures: Object.fromEntries(failures),
    names: Object.fromEntries([...families].map(([family, { name }]) => [`ipv${family}`, nameFields(name)])),
    race: race.map((attempt) => Object.assign({}, attempt, { family: `ipv${attempt.family}` })),
    nat64,
  };
}

/** All that was found in one line. */
export function verdictOf(findings: readonly Finding[], facts: ProbeFacts): string {
  return findings.map((finding) => sentenceOf(finding, facts)).join('; ');
}

function whyNot(family: AddressFamily, findings: readonly Finding[], facts: ProbeFacts): string {
  const own = findings.find((finding) => 'family' in finding && finding.family === family);
  return sentenceOf(own ?? findings[0] ?? { code: 'unreachable' }, facts);
}

/** Families as the other fields name them. */
function inWords(finding: Finding): object {
  const worded = Object.entries(finding).map(([key, value]: [string, unknown]) => {
    if (key === 'family' || key === 'winner' || key === 'preferred') return [key, `ipv${String(value)}`];
    if (key === 'families' && Array.isArray(value)) return [key, value.map((family) => `ipv${String(family)}`)];
    return [key, value];
  });
  return Object.fromEntries(worded);
}

function nameFields({ tookMs, addresses, failed }: FamilyFacts['name']): object {
  return { tookMs: tookMs ?? null, addresses, ...(failed && { why: failed.why }) };
}

function measured({ name, addresses, link }: FamilyFacts): object {
  const used = usedAddress({ addresses, link });
  const connects = addresses.map(({ address, embeds, connectMs, tlsMs, failed }) => ({
    address,
    connectMs: connectMs ?? null,
    tlsMs: tlsMs ?? null,
    ...(embeds !== undefined && { ipv4: embeds }),
    ...(failed && { failed }),
  }));
  const known = addresses.length > 0 ? addresses.map(({ address }) => address) : name.addresses;
  return {
    addresses: known,
    ...(used?.connectMs === undefined ? {} : { connectMs: used.connectMs }),
    ...linkFields(link),
    connects,
  };
}

function linkFields(link: FamilyFacts['link']): object {
  if (link === undefined) return { rtt: null };
  const { rounds, server, local, sweep, ending, address } = link;
  const { count, came, lost } = lossOf(rounds);
  const spread = spreadOf(rounds);
  return {
    rtt: { count, lost, ...spread },
    address,
    times: rounds.times.slice(-MAX_TIMES).map((time) => time ?? null),
    came,
    changed: rounds.changed,
    ended: rounds.ended ?? null,
    server: server.kind === 'partyline' ? { kind: server.kind, name: server.name } : { kind: server.kind },
    local,
    seenAs: server.kind === 'partyline' ? server.seenAs : null,
    sizes: sweep ?? null,
    ending: ending ?? null,
  };
}
