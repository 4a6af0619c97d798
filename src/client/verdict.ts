// What the facts of a probe mean. No socket, no clock: the same facts give the same findings.

import { RESOLUTION_DELAY_MS } from '../net/dial.ts';
import type { AddressFamily } from '../net/race.ts';
import type { AddressFailure, FamilyFacts, LinkFacts, ProbeFacts } from './probe/facts.ts';
import { lossOf, spreadOf, timesOf } from './probe/tally.ts';
import { hasConnected } from './probe/used.ts';
import type { Finding } from './verdict/finding.ts';
import { translationsOf } from './verdict/view.ts';

/** Less than this between two medians is nothing that a person would notice or should act on. */
const NOTICEABLE_MS = 1;
/** RFC 8305's delay is 250 ms; what is below half of that was not a wait for another address. */
const RACE_COST_MS = 125;
/** Linux resends what was not acknowledged for a round trip and 200 ms (RTO_MIN), others later. */
const RESEND_MS = 200;
/** IPv4 (RFC 791) or IPv6 (RFC 8200), TCP, and its timestamps (RFC 7323), which nearly every system sends. */
const HEADER_BYTES: Readonly<Record<AddressFamily, number>> = { 4: 20 + 20 + 12, 6: 40 + 20 + 12 };
/** TLS 1.3 (RFC 8446 5.2): a record's header, the type inside it, and the tag of AES-GCM or ChaCha20-Poly1305. */
const TLS_RECORD_BYTES = 5 + 1 + 16;

/** The first one says whether it works; what stands behind it explains. */
export function findingsOf(facts: ProbeFacts): Finding[] {
  const names = [...facts.families].map(([family, one]) => nameTrouble(family, one, facts));
  const unknown = names.find((finding) => finding?.code === 'unknown-name');
  if (unknown !== undefined) return [unknown];
  const troubles = [...facts.families].flatMap(([family, one]) => troubleOf(family, one, facts) ?? []);
  const notes = [...facts.families].flatMap(([family, one]) => notesOn(family, one, facts));
  return [headline(facts, troubles), ...troubles, ...hintOfTls(facts), ...notes, ...comparison(facts)];
}

/** As the status counts: an echo comes back, small or large; or, if no more is wanted, it connects. */
export function isWorking(family: AddressFamily, facts: ProbeFacts): boolean {
  const one = facts.families.get(family);
  return one !== undefined && troubleOf(family, one, facts) === undefined;
}

function headline(facts: ProbeFacts, troubles: readonly Finding[]): Finding {
  const all = [...facts.families.keys()];
  const families = all.filter((family) => isWorking(family, facts));
  const code = facts.wants === 'echo' ? 'works' : 'connects';
  if (families.length > 0) return { code, families, of: all.length };
  const answering = all.filter((family) => facts.families.get(family)?.addresses.some(hasConnected));
  if (answering.length > 0) return { code: 'unusable', families: answering };
  if (all.every((family) => facts.families.get(family)?.addresses.length === 0))
    return { code: 'untried', families: all };
  return { code: troubles.some(({ code }) => code === 'refused') ? 'closed' : 'unreachable' };
}

function hintOfTls({ families, isTls }: ProbeFacts): Finding[] {
  const all = [...families.values()].flatMap(({ addresses }) => addresses);
  return !isTls && all.some(({ failed }) => failed?.isMute === true) ? [{ code: 'tls-alone' }] : [];
}

/** Why a family does not work: the first thing on the way that fails. Undefined: it works. */
function troubleOf(family: AddressFamily, one: FamilyFacts, facts: ProbeFacts): Finding | undefined {
  return (
    nameTrouble(family, one, facts) ?? reachTrouble(family, one) ?? (one.link && linkTrouble(family, one.link, facts))
  );
}

function nameTrouble(family: AddressFamily, { name }: FamilyFacts, { families }: ProbeFacts): Finding | undefined {
  if (name.failed === undefined) return undefined;
  const { why, kind } = name.failed;
  if (kind !== 'unknown') return { code: kind === 'none' ? 'no-address' : 'lookup-failed', family, why };
  const isNameUnknown = [...families.values()].every((other) => other.name.failed?.kind === 'unknown');
  return isNameUnknown ? { code: 'unknown-name', why } : { code: 'no-address', family, why };
}

function reachTrouble(family: AddressFamily, { addresses, isHere }: FamilyFacts): Finding | undefined {
  if (addresses.some(({ failed }) => failed === undefined)) return undefined;
  const failures = addresses.flatMap(({ address, failed }) => (failed ? [{ address, ...failed }] : []));
  const furthest = (['echo', 'tls'] as const).map((at) => failures.find((failure) => failure.at === at));
  const [echo, tls] = furthest;
  if (echo !== undefined) return { code: 'no-echo-server', family, why: echo.why };
  if (tls !== undefined) {
    return { code: 'tls-failed', family, why: tls.why, ...(tls.kind === 'silent' && { isSilent: true }) };
  }
  const failed = failures.map(({ address, why }) => ({ address, why }));
  const areAll = (kind: AddressFailure['kind']): boolean => failures.every((failure) => failure.kind === kind);
  if (areAll('no-route') && !isHere) return { code: 'no-family-here', family };
  const code = areAll('refused')
    ? 'refused'
    : areAll('silent')
      ? 'no-answer'
      : areAll('no-route')
        ? 'no-route'
        : 'not-connected';
  return { code, family, failed };
}

function linkTrouble(family: AddressFamily, { rounds, sweep }: LinkFacts, { isTls }: ProbeFacts): Finding | undefined {
  const { came } = lossOf(rounds);
  const ended = rounds.ended && { ended: rounds.ended };
  if (rounds.changed > 0) return { code: 'changed', family, bytes: rounds.sizeBytes };
  if (came === 0 && sweep?.passes === undefined) return { code: 'no-echo', family, ...ended };
  const { passes: passesBytes, fails } = sweep ?? {};
  if (passesBytes === undefined || fails === undefined)
    return came === 0 ? { code: 'no-echo', family, ...ended } : undefined;
  const { bytes: failsBytes, came: how, received = 0 } = fails;
  const sizes = { family, passesBytes, failsBytes };
  if (how === 'changed') return { code: 'changed', family, bytes: failsBytes };
  if (how !== 'late' && how !== 'back') return { code: 'large-ends', ...sizes, ended: how };
  if (sweep?.comesInPieces !== true || received > 0) return { code: 'large-lost', ...sizes, received };
  const headers = HEADER_BYTES[family] + (isTls ? TLS_RECORD_BYTES : 0);
  return {
    code: 'black-hole',
    ...sizes,
    ...(failsBytes === passesBytes + 1 && { packetBytes: passesBytes + headers }),
    ...(sweep.lostOn && { lostOn: sweep.lostOn }),
  };
}

function notesOn(family: AddressFamily, one: FamilyFacts, facts: ProbeFacts): Finding[] {
  const { addresses, link } = one;
  const notes: Finding[] = [];
  const failed = addresses.flatMap(({ address, failed: failure }) => (failure ? [{ address, why: failure.why }] : []));
  if (failed.length > 0 && failed.length < addresses.length) {
    notes.push({ code: 'some-addresses', family, of: addresses.length, failed });
  }
  if (link !== undefined && isWorking(family, facts)) {
    const { came, lost, count } = lossOf(link.rounds);
    if (link.rounds.ended !== undefined) notes.push({ code: 'broke', family, ended: link.rounds.ended, came, count });
    else if (lost > 0) notes.push({ code: 'lossy', family, lost, count });
    const resent = resentIn(family, link);
    if (lost === 0 && resent !== undefined) notes.push(resent);
    if (link.ending !== undefined && link.ending !== 'answers')
      notes.push({ code: 'half-close', family, ending: link.ending });
  }
  return [...notes, ...translationsOf(family, { link, addresses, nat64: facts.nat64 })];
}

function resentIn(family: AddressFamily, { rounds }: LinkFacts): Finding | undefined {
  const times = timesOf(rounds);
  const spread = spreadOf(rounds);
  if (spread === undefined) return undefined;
  const late = times.filter((time) => time >= spread.p50 + RESEND_MS).length;
  return late === 0 ? undefined : { code: 'resent', family, late, count: times.length, byMs: spread.max - spread.p50 };
}

function comparison(facts: ProbeFacts): Finding[] {
  return [...slowName(facts), ...raceCost(facts), ...speed(facts)];
}

function slowName({ families }: ProbeFacts): Finding[] {
  const [v4, v6] = ([4, 6] as const).map((family) => answeredInMs(families.get(family)));
  if (v4 === undefined || v6 === undefined || Math.abs(v4 - v6) < RESOLUTION_DELAY_MS) return [];
  return [{ code: 'slow-name', family: v6 > v4 ? 6 : 4, byMs: Math.abs(v4 - v6) }];
}

/** Also if the answer is that there is none: a client has waited for it. */
function answeredInMs(one: FamilyFacts | undefined): number | undefined {
  return one?.name.failed?.kind === 'unanswered' ? undefined : one?.name.tookMs;
}

function raceCost({ race, winner }: ProbeFacts): Finding[] {
  const won = race.find(({ outcome }) => outcome === 'connected');
  const preferred = race[0]?.family;
  if (won === undefined || winner === undefined || preferred === undefined || won.startedAtMs < RACE_COST_MS) return [];
  return [{ code: 'race-cost', preferred, winner, afterMs: won.startedAtMs }];
}

function speed(facts: ProbeFacts): Finding[] {
  const [v4, v6] = ([4, 6] as const).map((family) =>
    isWorking(family, facts) ? typicalMs(facts.families.get(family)) : undefined,
  );
  if (v4 === undefined || v6 === undefined) return [];
  const byMs = Math.abs(v6 - v4);
  return byMs < NOTICEABLE_MS ? [{ code: 'same-speed' }] : [{ code: 'faster', family: v6 > v4 ? 4 : 6, byMs }];
}

/** Of an echo, or of connecting where nothing was echoed. */
function typicalMs(one: FamilyFacts | undefined): number | undefined {
  const echo = one?.link && spreadOf(one.link.rounds);
  return echo?.p50 ?? one?.addresses.find(hasConnected)?.connectMs;
}
