// Facts of a probe as tests need them: of a host that is well over both families, and of what can be wrong with one.

import type { AddressFamily } from '../../src/net/race.ts';
import type { AddressFacts, FamilyFacts, LinkFacts, ProbeFacts, Rounds, Sweep } from '../../src/client/probe/facts.ts';

export const ADDRESS = { 4: '192.0.2.1', 6: '2001:db8::1' } as const;
export const OURS = { 4: '198.51.100.5', 6: '2001:db8:9::5' } as const;
export const families = [4, 6] as const;

export const rounds = (given: Partial<Rounds> = {}): Rounds => {
  const times = given.times ?? [20, 20, 20];
  return { count: times.length, sizeBytes: 64, changed: 0, ...given, times };
};
export const swept = (passes: number, fails?: Sweep['fails'], more: Partial<Sweep> = {}): Sweep => ({
  sizes: [],
  passes,
  ...(fails && { fails, comesInPieces: true }),
  ...more,
});
export const link = (family: AddressFamily, given: Partial<LinkFacts> = {}): LinkFacts => ({
  address: ADDRESS[family],
  local: { address: OURS[family], port: 50_000 },
  server: { kind: 'partyline', name: 'Hub', seenAs: { address: OURS[family], port: 50_000 } },
  rounds: rounds(),
  sweep: swept(16_384),
  ending: 'answers',
  ...given,
});
export const good = (
  family: AddressFamily,
  given: Partial<FamilyFacts> & { linked?: Partial<LinkFacts> } = {},
): FamilyFacts => {
  const { linked, ...facts } = given;
  return {
    name: { tookMs: 10, addresses: [ADDRESS[family]] },
    addresses: [{ address: ADDRESS[family], connectMs: 20 }],
    isHere: true,
    link: link(family, linked),
    ...facts,
  };
};
export const unreached = (
  family: AddressFamily,
  kind: 'refused' | 'silent' | 'no-route' | 'other',
  why: string,
  isHere = true,
) => good(family, { addresses: [failing(family, kind, why)], isHere, link: undefined });
export const failing = (
  family: AddressFamily,
  kind: 'refused' | 'silent' | 'no-route' | 'other',
  why: string,
): AddressFacts => ({
  address: ADDRESS[family],
  failed: { at: 'connect', kind, why },
});
export const speechless = (family: AddressFamily, at: 'tls' | 'echo', why: string): FamilyFacts =>
  good(family, {
    addresses: [{ address: ADDRESS[family], connectMs: 20, failed: { at, kind: 'other', why } }],
    link: undefined,
  });
export const nameless = (kind: 'none' | 'unknown' | 'unanswered', why: string): FamilyFacts =>
  good(4, { name: { tookMs: 10, addresses: [], failed: { kind, why } }, addresses: [], link: undefined });

export interface Given extends Partial<ProbeFacts> {
  v4?: FamilyFacts | undefined;
  v6?: FamilyFacts | undefined;
}

export const aProbe = ({ v4, v6, ...given }: Given): ProbeFacts => ({
  host: 'hub.example',
  port: 7270,
  wants: 'echo',
  isTls: false,
  race: [],
  winner: 6,
  nat64: [],
  families: new Map([...(v4 === undefined ? [] : [[4, v4] as const]), ...(v6 === undefined ? [] : [[6, v6] as const])]),
  ...given,
});
