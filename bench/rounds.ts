// Interleaved rounds, A B C A B C …, and what is made of them: medians, ratios within this run, a verdict.

import { setTimeout as wait } from 'node:timers/promises';
import { cpuSeconds, machineSeconds, runLoad, type Server } from './processes.ts';

/** Others that took more than this of one core make a round worthless. */
const MAX_TAKEN_CPU = 0.25;
/** A disturbed round is repeated so often; then it is kept and flagged. */
const MAX_REPEATS = 2;

/** One thing that is measured beside others. */
export interface Contestant {
  readonly name: string;
  readonly start: () => Promise<Server>;
  readonly port: number;
  /** Its work happens in processes of its own, whose time cannot be told from other work. */
  readonly isForking?: boolean;
}

export interface Round {
  readonly name: string;
  readonly rate: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Bytes or messages that were lost, repeated or altered, and connections that ended. */
  readonly faults: number;
  /** In cores: other work on this machine, and what its hypervisor gave to other machines. */
  readonly otherCpu: number;
  readonly stolenCpu: number;
  readonly serverCpu: number;
}

export interface Workload {
  readonly name: string;
  readonly contestants: readonly Contestant[];
  readonly rounds: number;
  readonly load: (port: number) => { program: string; arguments: readonly (string | number)[] };
  readonly onRound: (round: Round) => void;
}

export async function measure({ contestants, rounds, load, onRound }: Workload): Promise<Round[]> {
  const results: Round[] = [];
  for (let i = 0; i < rounds; i++) {
    for (const contestant of contestants) {
      let round = await measureOnce(contestant, load);
      for (let n = 0; n < MAX_REPEATS && isDisturbed(round); n++) round = await measureOnce(contestant, load);
      onRound(round);
      results.push(round);
    }
  }
  return results;
}

export function isDisturbed({ otherCpu, stolenCpu }: Round): boolean {
  return otherCpu + stolenCpu > MAX_TAKEN_CPU;
}

async function measureOnce(contestant: Contestant, load: Workload['load']): Promise<Round> {
  const server = await contestant.start();
  try {
    await wait(300); // what a server does after its start is not what is measured
    const { program, arguments: given } = load(contestant.port);
    const before = {
      machine: machineSeconds(),
      server: cpuSeconds(server.pid),
      own: process.cpuUsage(),
      at: performance.now(),
    };
    const report = readReport(await runLoad(program, given));
    const span = (performance.now() - before.at) / 1_000;
    const own = process.cpuUsage(before.own);
    const serverCpu = cpuSeconds(server.pid) - before.server;
    const known = serverCpu + report.cpuSeconds + (own.user + own.system) / 1e6;
    const { busy, stolen } = machineSeconds();
    const otherCpu = contestant.isForking === true ? 0 : Math.max(0, busy - before.machine.busy - known) / span;
    const stolenCpu = (stolen - before.machine.stolen) / span;
    return { ...report, name: contestant.name, otherCpu, stolenCpu, serverCpu: serverCpu / span };
  } finally {
    await server.end();
  }
}

/** What a generator prints; without a rate it has failed, which counts as a fault. */
function readReport(json: unknown): Pick<Round, 'rate' | 'p50Us' | 'p99Us' | 'faults'> & { cpuSeconds: number } {
  const fields: Record<string, unknown> = typeof json === 'object' && json !== null ? { ...json } : {};
  const number = (name: string): number => (typeof fields[name] === 'number' ? fields[name] : 0);
  const faults = ['wrong', 'lost', 'repeated', 'ended'].reduce((sum, name) => sum + number(name), 0);
  return {
    rate: number('rate'),
    p50Us: number('p50Us'),
    p99Us: number('p99Us'),
    faults: 'rate' in fields ? faults : 1,
    cpuSeconds: number('totalCpuSeconds'),
  };
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
  return { median, min: sorted[0] ?? 0, max: sorted.at(-1) ?? 0 };
}

/** Of the quiet rounds of a contestant; of all of them where none was quiet. */
export function ratesOf(rounds: readonly Round[], name: string): { rates: number[]; quiet: number; all: number } {
  const own = rounds.filter((round) => round.name === name);
  const quiet = own.filter((round) => !isDisturbed(round));
  return { rates: (quiet.length > 0 ? quiet : own).map(({ rate }) => rate), quiet: quiet.length, all: own.length };
}
