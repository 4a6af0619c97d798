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

/**
 * Two comparisons, one after the other: what a server that forks for every connection does to the machine cannot be told
 * from other work, so it is not in one rotation with those that are held against the bound.
 */
export async function benchEcho(scratch: Scratch, rounds: number): Promise<Result> {
  const bound: Contestant = { name: 'c-echo', port: PORTS.bound, start: () => startEchoBound(scratch) };
  const own: Contestant = { name: 'partyline', port: PORTS.echo, start: () => startPartyline(scratch) };
  const xinetd: Contestant = {
    name: 'xinetd',
    port: PORTS.xinetd,
    start: () => startXinetd(scratch),
    isForking: true,
  };
  const program = scratch.program('echo-load');
  const all: Round[] = [];
  const verdicts: Verdict[] = [];
  const compare = async (other: Contestant, workload: (typeof WORKLOADS)[number], atLeast: number) => {
    const { mode, connections, bytes } = workload;
    const name = `${workload.name}, beside ${other.name}`;
    const results = await measure({
      name,
      contestants: [other, own],
      rounds,
      load: ({ port }) => ({ program, arguments: ['127.0.0.1', port, mode, connections, SECONDS, WARMUP, bytes] }),
      onRound: sayRound,
    });
    all.push(...results);
    verdicts.push(ratioVerdict(results, { what: workload.name, of: own.name, to: other.name, atLeast }));
    verdicts.push(faultVerdict(results, name));
  };
  for (const workload of WORKLOADS) await compare(bound, workload, workload.atLeast);
  if (!isXinetdInstalled) {
    const notes = ['xinetd is not installed (apt-get install xinetd): not compared with it'];
    return { rounds: all, verdicts, notes };
  }
  for (const workload of WORKLOADS) await compare(xinetd, workload, 1);
  return { rounds: all, verdicts, notes: [] };
}
