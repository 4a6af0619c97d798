// A command on many machines, for a program: so many at once, each result as it comes, and none begun that is not asked for.

import type { CommandRun, RunOptions } from './command-run.ts';
import type { RunResult } from './outcome.ts';
import { checkMaxBytes, type Texts } from './texts.ts';
import type { What, Where } from './wishes.ts';

/** Machines at once, unless more or fewer are wanted: what is kept of their outputs is in memory. */
const DEFAULT_BATCH = 32;

export type ManyOptions = What &
  Omit<Where, 'on'> & {
    /** Names, `web[1-9]`, globs, `#groups`, `NAME=VALUE` for labels, and `all`, joined by commas; `!NAME` takes away. */
    readonly on: string;
    /** At most so many at once, 32 without it. */
    readonly batch?: number;
    /** After so many failures no other machine is begun with; what runs goes on to its end. */
    readonly stopAfter?: number;
    /** What each of them reads; without it nothing. */
    readonly stdin?: string | Uint8Array;
    /** Kept of each output, 1 MiB without it. */
    readonly maxBytes?: number;
    /** As of `run`: one request, for all of them. */
    readonly onApproval?: RunOptions['onApproval'];
    readonly signal?: AbortSignal;
  };

export type HostResult = RunResult & Texts & { readonly host: string };

interface Means {
  /** The machines that are meant, in their order, once that may start. */
  readonly meant: () => Promise<Meant>;
  readonly start: (options: RunOptions, approval: number | undefined) => CommandRun;
}

export interface Meant {
  readonly hosts: readonly string[];
  /** Of the request that somebody has approved. */
  readonly approval?: number;
}

/** Leaving the loop cancels what still runs. A machine is begun with only when the result before it was taken. */
export async function* runMany(options: ManyOptions, means: Means): AsyncGenerator<HostResult, void, undefined> {
  const { on: _on, onApproval: _asked, maxBytes, signal, ...others } = options;
  const { batch = DEFAULT_BATCH, stopAfter = Number.POSITIVE_INFINITY, ...each } = others;
  if (!(batch >= 1)) throw new RangeError(`batch is a number of machines, not ${batch}`);
  checkMaxBytes(maxBytes);
  const { hosts, approval } = await means.meant();
  const waiting = [...hosts];
  const runs = new Set<CommandRun>();
  const ready: HostResult[] = [];
  let failures = 0;
  let wake = () => {};
  const take = async (host: string, run: CommandRun): Promise<void> => {
    const result = await run.text(maxBytes === undefined ? {} : { maxBytes });
    runs.delete(run);
    if (result.status !== 0) failures += 1;
    ready.push({ host, ...result });
    wake();
  };
  /** Throws what no machine can be asked: whoever reads the results is to be told. */
  const begin = (host: string): void => {
    const run = means.start({ ...each, on: host, ...(signal === undefined ? {} : { signal }) }, approval);
    runs.add(run);
    void take(host, run);
  };
  const next = (): string | undefined => {
    const hasRoom = runs.size + ready.length < batch;
    return hasRoom && failures < stopAfter && signal?.aborted !== true ? waiting.shift() : undefined;
  };
  try {
    for (;;) {
      for (let host = next(); host !== undefined; host = next()) begin(host);
      const result = ready.shift();
      if (result !== undefined) yield result;
      else if (runs.size > 0) await new Promise<void>((resolve) => (wake = resolve));
      else break;
    }
  } finally {
    await Promise.all(Array.from(runs, (run) => run.cancel()));
  }
  // Whoever aborted it is not to take the machines that were left for done.
  if (waiting.length > 0) signal?.throwIfAborted();
}
