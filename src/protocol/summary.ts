// How a command went on its machines: a line for each way it ended.

import { formatNodeSet } from './node-set.ts';

/** How it ended on one machine. */
export type HostResult =
  | { readonly result: 'exited' | 'timeout' | 'cancelled'; readonly status: number }
  | { readonly result: 'signalled'; readonly status: number; readonly signal: number }
  /** It never ran there, or nobody knows how it ended. */
  | { readonly result: 'not-started' | 'denied' | 'offline' | 'lost' }
  | { readonly result: 'running' };

export interface SummaryLine {
  /** `37 ok`. */
  readonly words: string;
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
      words: `${names.length} ${words}`,
      text: `${names.length} ${words}: ${formatNodeSet(names)}`,
      isOk: result.result === 'exited' && result.status === 0,
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
    case 'running':
      return result.result;
  }
}

const KINDS = [
  'exited',
  'signalled',
  'timeout',
  'cancelled',
  'not-started',
  'denied',
  'offline',
  'lost',
  'running',
] as const;
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
