// How a command goes on many machines: how far it has come, and the status of it all.

import { formatNodeSet } from '../../protocol/node-set.ts';
import type { HostResult } from '../../protocol/summary.ts';
import { FAILURE_STATUS, UNREACHED_STATUS } from '../kit/status.ts';

/** The status of the program after several machines: 255 if one was not reached or lost, 0 if all is well. */
export function overallStatus(results: Iterable<HostResult>): number {
  const all = [...results];
  if (all.length === 0 || all.some((result) => !('status' in result))) return UNREACHED_STATUS;
  const failures = new Set(all.map(statusOf));
  failures.delete(0);
  const [failure = 0] = failures;
  return failures.size > 1 ? FAILURE_STATUS : failure;
}

function statusOf(result: HostResult): number {
  if (!('status' in result)) return UNREACHED_STATUS;
  // Told to end, some end with 0. That is not what was asked of them.
  return result.result === 'cancelled' ? result.status || FAILURE_STATUS : result.status;
}

/** `37/50 web[38-50]`: how many have ended, and where it runs; in so many columns of a terminal. */
export function formatProgress(
  { total, done, running }: { total: number; done: number; running: readonly string[] },
  width: number,
): string {
  const ended = `${done}/${total}`;
  return fit(running.length === 0 ? ended : `${ended} ${formatNodeSet(running)}`, width);
}

function fit(text: string, width: number): string {
  let columns = 0;
  let at = 0;
  let end = 0;
  for (const character of text) {
    columns += columnsOf(character);
    if (columns > width) return width < 1 ? '' : `${text.slice(0, end)}…`;
    at += character.length;
    if (columns < width) end = at;
  }
  return text;
}

/** Columns of a terminal, at most. */
export function widthOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += columnsOf(character);
  return columns;
}

/** At most: where the scripts of Asia begin, some letters take two columns, so all are counted so. */
function columnsOf(character: string): number {
  return (character.codePointAt(0) ?? 0) < 0x1100 ? 1 : 2;
}
