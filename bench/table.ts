// What a run says: a line for each round as it comes, at the end a table and the verdicts on the bounds.

import { isDisturbed, ratesOf, spreadOf, type Round, type Workload } from './rounds.ts';

export interface Verdict {
  readonly what: string;
  readonly value: string;
  readonly bound: string;
  readonly isMet: boolean;
}

export interface Result {
  readonly rounds: readonly (Round & { workload: string })[];
  readonly verdicts: readonly Verdict[];
  /** What was left out, and why. */
  readonly notes: readonly string[];
}

export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

export function sayRound(workload: string): Workload['onRound'] {
  return (round) => {
    const others = `other work ${percent(round.otherCpu)}, stolen ${percent(round.stolenCpu)}`;
    const cpu = `server ${percent(round.serverCpu)}, ${others}`;
    const flags = `${round.faults > 0 ? `  ${round.faults} FAULTS` : ''}${isDisturbed(round) ? '  disturbed' : ''}`;
    say(`${workload}  ${round.name}  ${round.rate.toLocaleString('en')}/s  p99 ${round.p99Us} us  ${cpu}${flags}`);
  };
}

/** The ratio of two medians of one run. */
export function ratioVerdict(
  rounds: readonly Round[],
  { what, of, to, atLeast }: { what: string; of: string; to: string; atLeast: number },
): Verdict {
  const ratio = spreadOf(ratesOf(rounds, of).rates).median / spreadOf(ratesOf(rounds, to).rates).median;
  const isQuiet = ratesOf(rounds, of).quiet > 0 && ratesOf(rounds, to).quiet > 0;
  return {
    what: `${what}: ${of} / ${to}`,
    value: `${ratio.toFixed(2)}${isQuiet ? '' : ' (disturbed: repeat on a quiet machine)'}`,
    bound: `>= ${atLeast}`,
    isMet: ratio >= atLeast,
  };
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
      const p99 = spreadOf(own.filter((round) => round.name === name).map(({ p99Us }) => p99Us)).median;
      const used = quiet === 0 ? `${all}, all disturbed` : `${quiet} of ${all}`;
      lines.push(
        `  ${name.padEnd(14)}${formatSpread(rates).padEnd(44)}${Math.round(p99).toString().padEnd(10)}${used}`,
      );
    }
  }
  lines.push('');
  for (const { what, value, bound, isMet } of verdicts) {
    lines.push(`${isMet ? 'pass' : 'FAIL'}  ${what.padEnd(66)}${value}  (bound ${bound})`);
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
