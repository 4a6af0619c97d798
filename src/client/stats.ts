// What a row of durations amounts to. Percentiles by nearest rank: always a value that was measured, none between two.

export interface Distribution {
  readonly min: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Undefined when nothing was measured. */
export function distribution(values: readonly number[]): Distribution | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const min = sorted[0];
  const max = sorted.at(-1);
  if (min === undefined || max === undefined) return undefined;
  // Nearest rank: the smallest value that at least so many per cent of all do not exceed.
  const percentile = (percent: number): number => sorted[Math.ceil((percent * sorted.length) / 100) - 1] ?? max;
  return { min, p50: percentile(50), p95: percentile(95), p99: percentile(99), max };
}
