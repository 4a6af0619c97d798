// A row of times as a row of characters, one for each, the last ones if there are too many.

/** From little to all of the height. */
const UTF8 = { levels: Array.from('▁▂▃▄▅▆▇█'), lost: '×' };
const ASCII = { levels: Array.from('_.:-=+*#'), lost: 'x' };

export interface Drawing {
  /** Of a full height, so that two rows can share a scale. */
  readonly maxMs: number;
  readonly columns: number;
  readonly isUtf8: boolean;
}

/** Undefined is an echo that was lost. */
export function sparkline(times: readonly (number | undefined)[], { maxMs, columns, isUtf8 }: Drawing): string {
  const { levels, lost } = isUtf8 ? UTF8 : ASCII;
  return times
    .slice(-Math.max(columns, 1))
    .map((time) => (time === undefined ? lost : (levels[levelOf(time, maxMs, levels.length)] ?? lost)))
    .join('');
}

function levelOf(time: number, maxMs: number, count: number): number {
  return maxMs <= 0 ? 0 : Math.min(Math.floor((time / maxMs) * count), count - 1);
}

export function highest(rows: readonly (readonly (number | undefined)[])[]): number {
  return rows.flat().reduce<number>((most, time) => Math.max(most, time ?? 0), 0);
}
