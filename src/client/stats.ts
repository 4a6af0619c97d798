// What a row of durations amounts to. Percentiles by nearest rank: always a value that was measured, none between two.

export interface Distribution {
  readonly min: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
  /** From the usual to the bad: p95 − p50, whatever the order was in which they came. */
  readonly jitter: number;
}

/** Undefined when nothing was measured. */
export function distribution(values: readonly number[]): Distribution | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const min = sorted[0];
  const max = sorted.at(-1);
  if (min === undefined || max === undefined) return undefined;
  // Nearest rank: the smallest value that at least so many per cent of all do not exceed.
  const percentile = (percent: number): number => sorted[Math.ceil((percent * sorted.length) / 100) - 1] ?? max;
  const [p50, p95, p99] = [percentile(50), percentile(95), percentile(99)];
  return { min, p50, p95, p99, max, jitter: roundMs(p95 - p50) };
}

/** Microseconds: what lies below is noise of the clock. */
export function roundMs(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
