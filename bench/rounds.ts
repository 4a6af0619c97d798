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
  readonly workload: string;
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
  /** What the server had resident at most, where the load looked: while there was talk, and while one read on. */
  readonly talkingKib: number;
  readonly readingOnKib: number;
}

export interface Workload<Known extends Contestant = Contestant> {
  readonly name: string;
  readonly contestants: readonly Known[];
  readonly rounds: number;
  readonly load: (contestant: Known, server: Server) => { program: string; arguments: readonly (string | number)[] };
  readonly onRound: (round: Round) => void;
}

export async function measure<Known extends Contestant>(workload: Workload<Known>): Promise<Round[]> {
  const { name, contestants, rounds, load, onRound } = workload;
  const results: Round[] = [];
  for (let i = 0; i < rounds; i++) {
    for (const contestant of contestants) {
      let once = await measureOnce(contestant, load);
      for (let n = 0; n < MAX_REPEATS && isDisturbed(once); n++) once = await measureOnce(contestant, load);
      const round = { ...once, workload: name };
      onRound(round);
      results.push(round);
    }
  }
  return results;
}

export function isDisturbed({ otherCpu, stolenCpu }: Pick<Round, 'otherCpu' | 'stolenCpu'>): boolean {
  return otherCpu + stolenCpu > MAX_TAKEN_CPU;
}

async function measureOnce<Known extends Contestant>(
  contestant: Known,
  load: Workload<Known>['load'],
): Promise<Omit<Round, 'workload'>> {
  const server = await contestant.start();
  try {
    await wait(300); // what a server does after its start is not what is measured
    const { program, arguments: given } = load(contestant, server);
    const used = watchCpu(server.pid);
    const { cpuSeconds, ...report } = readReport(await runLoad(program, given));
    const cpu = used(cpuSeconds);
    return { ...report, name: contestant.name, ...cpu, ...(contestant.isForking === true ? { otherCpu: 0 } : {}) };
  } finally {
    await server.end();
  }
}

/** From now until it is called, in cores: by the server, by others than it and us and a load, and stolen. */
export function watchCpu(pid: number): (loadSeconds?: number) => Pick<Round, 'serverCpu' | 'otherCpu' | 'stolenCpu'> {
  const before = { machine: machineSeconds(), server: cpuSeconds(pid), own: process.cpuUsage(), at: performance.now() };
  return (loadSeconds = 0) => {
    const span = (performance.now() - before.at) / 1_000;
    const own = process.cpuUsage(before.own);
    const server = cpuSeconds(pid) - before.server;
    const known = server + loadSeconds + (own.user + own.system) / 1e6;
    const { busy, stolen } = machineSeconds();
    return {
      serverCpu: server / span,
      otherCpu: Math.max(0, busy - before.machine.busy - known) / span,
      stolenCpu: (stolen - before.machine.stolen) / span,
    };
  };
}

type Measured = 'rate' | 'p50Us' | 'p99Us' | 'faults' | 'talkingKib' | 'readingOnKib';
type Report = Pick<Round, Measured> & { readonly cpuSeconds: number };

/** What a generator prints; without a rate it has failed, which counts as a fault. */
function readReport(json: unknown): Report {
  const fields: Record<string, unknown> = typeof json === 'object' && json !== null ? { ...json } : {};
  const number = (name: string): number => (typeof fields[name] === 'number' ? fields[name] : 0);
  const faults = ['wrong', 'lost', 'repeated', 'ended'].reduce((sum, name) => sum + number(name), 0);
  return {
    rate: number('rate'),
    p50Us: number('p50Us'),
    p99Us: number('p99Us'),
    faults: 'rate' in fields ? faults : 1,
    talkingKib: number('talkingKb'),
    readingOnKib: number('readingOnKb'),
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

/** The quiet rounds of a contestant; all of them where none was quiet. */
export function countedOf(rounds: readonly Round[], name: string): readonly Round[] {
  const own = rounds.filter((round) => round.name === name);
  const quiet = own.filter((round) => !isDisturbed(round));
  return quiet.length > 0 ? quiet : own;
}

export function ratesOf(rounds: readonly Round[], name: string): { rates: number[]; quiet: number; all: number } {
  const own = rounds.filter((round) => round.name === name);
  const quiet = own.filter((round) => !isDisturbed(round)).length;
  return { rates: countedOf(rounds, name).map(({ rate }) => rate), quiet, all: own.length };
}
