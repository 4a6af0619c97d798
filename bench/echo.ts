// Echo beside a small C server (and xinetd, where it is installed): one stream, 64 and 512 connections in ping-pong.

import { isXinetdInstalled, PORTS, startEchoBound, startPartyline, startXinetd, type Scratch } from './processes.ts';
import { measure, type Contestant, type Round } from './rounds.ts';
import { faultVerdict, ratioVerdict, sayRound, type Result, type Verdict } from './table.ts';

const SECONDS = 2.5;
const WARMUP = 0.7;
const WORKLOADS = [
  { name: 'echo, one stream, MB', mode: 'stream', connections: 1, bytes: 65_536, atLeast: 0.9 },
  { name: 'echo, 64 ping-pong', mode: 'trips', connections: 64, bytes: 64, atLeast: 0.7 },
  { name: 'echo, 512 ping-pong', mode: 'trips', connections: 512, bytes: 64, atLeast: 0.7 },
] as const;

export async function benchEcho(scratch: Scratch, rounds: number): Promise<Result> {
  const contestants: Contestant[] = [
    { name: 'c-echo', port: PORTS.bound, start: () => startEchoBound(scratch) },
    { name: 'partyline', port: PORTS.echo, start: () => startPartyline(scratch) },
  ];
  if (isXinetdInstalled) {
    contestants.push({ name: 'xinetd', port: PORTS.xinetd, start: () => startXinetd(scratch), isForking: true });
  }
  const program = scratch.program('echo-load');
  const all: (Round & { workload: string })[] = [];
  const verdicts: Verdict[] = [];
  for (const { name, mode, connections, bytes, atLeast } of WORKLOADS) {
    const results = await measure({
      name,
      contestants,
      rounds,
      load: (port) => ({ program, arguments: ['127.0.0.1', port, mode, connections, SECONDS, WARMUP, bytes] }),
      onRound: sayRound(name),
    });
    all.push(...results.map((round) => ({ ...round, workload: name })));
    verdicts.push(ratioVerdict(results, { what: name, of: 'partyline', to: 'c-echo', atLeast }));
    if (isXinetdInstalled) {
      verdicts.push(ratioVerdict(results, { what: name, of: 'partyline', to: 'xinetd', atLeast: 1 }));
    }
    verdicts.push(faultVerdict(results, name));
  }
  const notes = isXinetdInstalled ? [] : ['xinetd is not installed (apt-get install xinetd): not compared with it'];
  return { rounds: all, verdicts, notes };
}
