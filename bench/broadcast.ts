// Messages to all over the line protocol, beside the least that a chat server on plain Node sockets has to do.

import { PORTS, startNodeShared, startPartyline, type Scratch } from './processes.ts';
import { measure, type Contestant, type Round } from './rounds.ts';
import { faultVerdict, ratioVerdict, sayRound, type Result, type Verdict } from './table.ts';

const SECONDS = 2.5;
const WARMUP = 1;
const AT_LEAST = 0.6;
const WORKLOADS = [
  { name: 'broadcast, 100 clients, 1 sender', clients: 100, senders: 1, window: 64 },
  { name: 'broadcast, 100 clients, 10 senders', clients: 100, senders: 10, window: 16 },
  { name: 'broadcast, 1000 clients, 1 sender', clients: 1_000, senders: 1, window: 64 },
];

export async function benchBroadcast(scratch: Scratch, rounds: number): Promise<Result> {
  const contestants: Contestant[] = [
    { name: 'node-shared', port: PORTS.bound, start: startNodeShared },
    { name: 'partyline', port: PORTS.line, start: () => startPartyline(scratch) },
  ];
  const program = scratch.program('broadcast-load');
  const all: (Round & { workload: string })[] = [];
  const verdicts: Verdict[] = [];
  for (const { name, clients, senders, window } of WORKLOADS) {
    const results = await measure({
      name,
      contestants,
      rounds,
      load: (port) => ({ program, arguments: ['127.0.0.1', port, clients, senders, window, SECONDS, WARMUP] }),
      onRound: sayRound(name),
    });
    all.push(...results.map((round) => ({ ...round, workload: name })));
    verdicts.push(ratioVerdict(results, { what: name, of: 'partyline', to: 'node-shared', atLeast: AT_LEAST }));
    verdicts.push(faultVerdict(results, name));
  }
  return { rounds: all, verdicts, notes: [] };
}
