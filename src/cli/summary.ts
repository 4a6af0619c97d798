// How a command went on many machines: a line for each way it ended, how far it has come, and the status of it all.

import { formatNodeSet } from './node-set.ts';
import { FAILURE_STATUS, UNREACHED_STATUS } from './status.ts';

/** How it ended on one machine. */
export type HostResult =
  | { readonly result: 'exited' | 'timeout' | 'cancelled'; readonly status: number }
  | { readonly result: 'signalled'; readonly status: number; readonly signal: number }
  /** It never ran there, or nobody knows how it ended. */
  | { readonly result: 'not-started' | 'denied' | 'offline' | 'lost' };

export interface SummaryLine {
  /** `37 ok: web[1-37]`; without a line end. */
  readonly text: string;
  readonly isOk: boolean;
}

/** From good to bad, so that the worst stands nearest to the next prompt. */
export function summarise(results: ReadonlyMap<string, HostResult>): SummaryLine[] {
  const byWords = new Map<string, { result: HostResult; names: string[] }>();
  for (const [name, result] of results) {
    const words = wordsFor(result);
    const alike = byWords.get(words);
    if (alike === undefined) byWords.set(words, { result, names: [name] });
    else alike.names.push(name);
  }
  return Array.from(byWords)
    .sort(([, a], [, b]) => badness(a.result) - badness(b.result))
    .map(([words, { result, names }]) => ({
      text: `${names.length} ${words}: ${formatNodeSet(names)}`,
      isOk: statusOf(result) === 0,
    }));
}

function wordsFor(result: HostResult): string {
  switch (result.result) {
    case 'exited':
      return result.status === 0 ? 'ok' : `exit ${result.status}`;
    case 'signalled': {
      const name = SIGNAL_NAMES[result.signal];
      return name === undefined ? `signal ${result.signal}` : `signal ${result.signal} (${name})`;
    }
    case 'not-started':
      return 'not started';
    case 'timeout':
    case 'cancelled':
    case 'denied':
    case 'offline':
    case 'lost':
      return result.result;
  }
}

const KINDS = ['exited', 'signalled', 'timeout', 'cancelled', 'not-started', 'denied', 'offline', 'lost'] as const;
/** More than there are statuses and signals. */
const KIND_SIZE = 1_000;

function badness(result: HostResult): number {
  const within = result.result === 'exited' ? result.status : result.result === 'signalled' ? result.signal : 0;
  return KINDS.indexOf(result.result) * KIND_SIZE + within;
}

/** Those that have the same number on Linux and macOS; which of the two a machine is, nobody has said. */
const SIGNAL_NAMES: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL',
  5: 'SIGTRAP',
  6: 'SIGABRT',
  8: 'SIGFPE',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  13: 'SIGPIPE',
  14: 'SIGALRM',
  15: 'SIGTERM',
  24: 'SIGXCPU',
  25: 'SIGXFSZ',
};

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

/** At most: where the scripts of Asia begin, some letters take two columns, so all are counted so. */
function columnsOf(character: string): number {
  return (character.codePointAt(0) ?? 0) < 0x1100 ? 1 : 2;
}
