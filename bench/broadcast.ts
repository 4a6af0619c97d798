// Messages to all: over the line protocol beside the least that a chat server on plain Node sockets has to do, and beside
// what others run, each in the protocol it speaks.

import type { Scratch } from './processes.ts';
import type { Round } from './rounds.ts';
import { bestVerdict, faultVerdict, ratioVerdict, type Result, type Verdict } from './table.ts';
import { findTalkers, measureTalk } from './talk.ts';

const OF_THE_BOUND = 0.6;
const OF_THE_BEST = 1.5;
const WORKLOADS = [
  { name: 'broadcast, 100 clients, 1 sender', clients: 100, senders: 1, window: 64 },
  { name: 'broadcast, 100 clients, 10 senders', clients: 100, senders: 10, window: 16 },
  { name: 'broadcast, 1000 clients, 1 sender', clients: 1_000, senders: 1, window: 64 },
  { name: 'broadcast, 1000 clients, 10 senders', clients: 1_000, senders: 10, window: 16 },
];

export async function benchBroadcast(scratch: Scratch, rounds: number): Promise<Result> {
  const { talkers, peers, notes } = findTalkers(scratch, {
    bounds: ['node-shared', 'node-durable'],
    peers: ['inspircd', 'ngircd', 'nats'],
  });
  const all: Round[] = [];
  const verdicts: Verdict[] = [];
  for (const { name, ...settings } of WORKLOADS) {
    const results = await measureTalk(scratch, { name, talkers, rounds, settings });
    all.push(...results);
    verdicts.push(ratioVerdict(results, { what: name, of: 'partyline', to: 'node-shared', atLeast: OF_THE_BOUND }));
    verdicts.push(...bestVerdict(results, { what: name, of: 'partyline', among: peers, atLeast: OF_THE_BEST }));
    verdicts.push(faultVerdict(results, name));
  }
  return { rounds: all, verdicts, notes };
}
