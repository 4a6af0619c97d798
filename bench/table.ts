// What a run says: a line for each round as it comes, at the end a table and the verdicts on the bounds.

import { countedOf, isDisturbed, ratesOf, spreadOf, type Round } from './rounds.ts';

export interface Verdict {
  readonly what: string;
  readonly value: string;
  readonly bound: string;
  readonly isMet: boolean;
}

export interface Result {
  readonly rounds: readonly Round[];
  readonly verdicts: readonly Verdict[];
  /** What was left out, and why. */
  readonly notes: readonly string[];
}

export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

export function sayRound(round: Round): void {
  const { workload, name, rate, p99Us, faults } = round;
  const faulty = faults > 0 ? `  ${faults} FAULTS` : '';
  say(`${workload}  ${name}  ${rate.toLocaleString('en')}/s  p99 ${p99Us} us  ${formatCpu(round)}${faulty}`);
}

export function formatCpu(cpu: Pick<Round, 'serverCpu' | 'otherCpu' | 'stolenCpu'>): string {
  const others = `other work ${percent(cpu.otherCpu)}, stolen ${percent(cpu.stolenCpu)}`;
  return `server ${percent(cpu.serverCpu)}, ${others}${isDisturbed(cpu) ? '  disturbed' : ''}`;
}

/** The ratio of two medians of one run. */
export function ratioVerdict(
  rounds: readonly Round[],
  { what, of, to, atLeast }: { what: string; of: string; to: string; atLeast: number },
): Verdict {
  const ratio = medianOf(rounds, of) / medianOf(rounds, to);
  return {
    what: `${what}: ${of} / ${to}`,
    value: ratio.toFixed(2) + wordsOn(rounds, [of, to]),
    bound: `>= ${atLeast}`,
    isMet: ratio >= atLeast,
  };
}

/** The same beside the best of several; nothing where there are none. */
export function bestVerdict(
  rounds: readonly Round[],
  { what, of, among, atLeast }: { what: string; of: string; among: readonly string[]; atLeast: number },
): Verdict[] {
  const to = among.toSorted((a, b) => medianOf(rounds, b) - medianOf(rounds, a))[0];
  return to === undefined ? [] : [ratioVerdict(rounds, { what, of, to, atLeast })];
}

/** By how much the p99 of one is later than that of another, by medians of one run. */
export function laterVerdict(
  rounds: readonly Round[],
  { what, of, than, atMostMs }: { what: string; of: string; than: string; atMostMs: number },
): Verdict {
  const laterMs = (p99Of(rounds, of) - p99Of(rounds, than)) / 1_000;
  return {
    what: `${what}: p99 of ${of} - ${than}, ms`,
    value: laterMs.toFixed(2) + wordsOn(rounds, [of, than]),
    bound: `<= ${atMostMs}`,
    isMet: laterMs <= atMostMs,
  };
}

function medianOf(rounds: readonly Round[], name: string): number {
  return spreadOf(ratesOf(rounds, name).rates).median;
}

/** The median over the rounds that count, in microseconds. */
export function p99Of(rounds: readonly Round[], name: string): number {
  return spreadOf(countedOf(rounds, name).map(({ p99Us }) => p99Us)).median;
}

/** A word of warning where one of them had no quiet round. */
export function wordsOn(rounds: readonly Round[], names: readonly string[]): string {
  const isQuiet = names.every((name) => ratesOf(rounds, name).quiet > 0);
  return isQuiet ? '' : ' (disturbed: repeat on a quiet machine)';
}

export function faultVerdict(rounds: readonly Round[], what: string): Verdict {
  const faults = rounds.reduce((sum, round) => sum + round.faults, 0);
  return { what: `${what}: lost, repeated, altered`, value: String(faults), bound: '0', isMet: faults === 0 };
}

export function formatResult({ rounds, verdicts, notes }: Result): string {
  const lines: string[] = [];
  for (const workload of new Set(rounds.map((round) => round.workload))) {
    const own = rounds.filter((round) => round.workload === workload);
    lines.push(
      '',
      workload,
      `  ${'server'.padEnd(14)}${'rate/s: median (min..max)'.padEnd(44)}${'p99 us'.padEnd(10)}rounds`,
    );
    for (const name of new Set(own.map((round) => round.name))) {
      const { rates, quiet, all } = ratesOf(own, name);
      const p99 = p99Of(own, name);
      const used = quiet === 0 ? `${all}, all disturbed` : `${quiet} of ${all}`;
      lines.push(
        `  ${name.padEnd(14)}${formatSpread(rates).padEnd(44)}${Math.round(p99).toString().padEnd(10)}${used}`,
      );
    }
  }
  lines.push('');
  for (const { what, value, bound, isMet } of verdicts) {
    lines.push(`${isMet ? 'pass' : 'FAIL'}  ${what.padEnd(74)}${value}  (bound ${bound})`);
  }
  return [...lines, ...notes, ''].join('\n');
}

export function formatSpread(values: readonly number[]): string {
  const { median, min, max } = spreadOf(values);
  const show = (value: number) => value.toLocaleString('en', { maximumFractionDigits: value < 100 ? 1 : 0 });
  return `${show(median)} (${show(min)}..${show(max)})`;
}

function percent(cores: number): string {
  return `${Math.round(cores * 100)} %`;
}
