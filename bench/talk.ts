// What all measurements of messages share: who is measured, and how the generator is told what to do.

import { join } from 'node:path';
import { findPeers, type PeerName, type Talker } from './peers.ts';
import { PORTS, startNodeShared, startPartyline, startTalkBound, type Scratch } from './processes.ts';
import { measure, type Round } from './rounds.ts';
import { sayRound } from './table.ts';

export const SECONDS = 2.5;
export const WARMUP = 1;

/** Settings of `c/talk-load.c`. */
export type Settings = Readonly<Record<string, number>>;

type Bound = 'node-shared' | 'node-durable' | 'c-talk';

/** Partyline, and what it is held against. */
export function findTalkers(
  scratch: Scratch,
  { bounds = [], peers: names = [] }: { bounds?: readonly Bound[]; peers?: readonly PeerName[] },
): { talkers: Talker[]; peers: string[]; notes: string[] } {
  const line = { protocol: 'line', settings: [] };
  const all: Talker[] = [
    { name: 'node-shared', port: PORTS.bound, start: () => startNodeShared(), ...line },
    { name: 'node-durable', port: PORTS.bound, start: () => startNodeShared(join(scratch.path, 'bound.log')), ...line },
    { name: 'c-talk', port: PORTS.bound, start: () => startTalkBound(scratch), ...line },
  ];
  const own: Talker = { name: 'partyline', port: PORTS.line, start: () => startPartyline(scratch), ...line };
  const { peers, notes } = findPeers(scratch, names);
  const talkers = [...all.filter(({ name }) => bounds.some((bound) => bound === name)), ...peers, own];
  return { talkers, peers: peers.map(({ name }) => name), notes };
}

export interface Talk {
  readonly name: string;
  readonly talkers: readonly Talker[];
  readonly rounds: number;
  readonly settings: Settings;
  readonly looksAtMemory?: boolean;
}

/** All rounds of one workload. */
export async function measureTalk(
  scratch: Scratch,
  { name, talkers, rounds, settings, looksAtMemory = false }: Talk,
): Promise<Round[]> {
  const program = scratch.program('talk-load');
  const common = Object.entries({ seconds: SECONDS, warmup: WARMUP, ...settings }).map(
    ([key, value]) => `${key}=${value}`,
  );
  return measure({
    name,
    contestants: talkers,
    rounds,
    load: ({ protocol, port, settings: own }, { pid }) => ({
      program,
      arguments: [protocol, '127.0.0.1', port, ...common, ...own, ...(looksAtMemory ? [`pid=${pid}`] : [])],
    }),
    onRound: sayRound,
  });
}
