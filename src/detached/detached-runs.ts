// The detached runs of one program: of a server on itself, or of a machine that has joined. They end with the program; what
// they said and how they ended is kept until there is too much of it or it is old.

import { lstatSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { LocalRunner, RunCommand } from '../core/ports.ts';
import { Capture } from '../core/run/capture.ts';
import type {
  Attaching,
  AttachWishes,
  DetachedEnd,
  DetachedRequest,
  DetachedRunner,
  DetachKey,
  DetachRefusal,
  StartFailed,
} from '../core/run/detached.ts';
import { NOT_EXECUTABLE_STATUS, NOT_FOUND_STATUS } from '../core/run/result.ts';
import { claimDirectory } from '../runner/directory.ts';
import { wordsFor } from '../runner/errors.ts';
import { newDigest } from '../secrets/digest.ts';
import { DetachedRun } from './detached-run.ts';
import { MAX_SPOOL_BYTES, Spool } from './spool.ts';

/** At once: half of what a runner runs, so that whoever waits for a command always can. */
const MAX_RUNNING = 128;
/** Those that have ended, too: a record of each is in memory, a few hundred kilobytes at most. */
const MAX_KEPT = 256;
/** Attached at once: each has a file open. */
const MAX_WATCHERS = 256;
/** Of all that they have said. */
const MAX_TOTAL_BYTES = 1_073_741_824;
/** After its end: whoever started it on a Friday comes back. */
const KEEP_MS = 7 * 86_400_000;
const SWEEP_MS = 3_600_000;
/** A shell that does not find its command says so in a few; whoever detaches one waits no longer for that. */
const AT_ONCE_MS = 200;
/** Of a shell and ours. */
const NOT_STARTED = new Set([NOT_EXECUTABLE_STATUS, NOT_FOUND_STATUS]);
/** Of each output for the record: with both outputs, as text, it fits one message. */
const MAX_KEPT_BYTES = 262_144;
/** What a spool is called, and so what may be removed. */
const SPOOL_FILE = /^[0-9a-f]{32}\.\d+$/;

export interface DetachedRunsOptions {
  readonly runner: Pick<LocalRunner, 'start'>;
  /** For spools; made if need be, for this user's eyes only, and used by one program at a time. */
  readonly directory: string;
  /** Output that could not be kept or removed, in words: of each run once. */
  readonly onTrouble: (reason: string) => void;
  /** Milliseconds that never run backwards. */
  readonly clock?: () => number;
  readonly atOnceMs?: number;
  readonly maxRunning?: number;
  readonly maxKept?: number;
  readonly maxSpoolBytes?: number;
  readonly maxTotalBytes?: number;
}

/** What is true then. */
const TROUBLES = { keep: 'it is missing there', remove: 'its files are left there, and empty' } as const;

interface Kept {
  readonly run: DetachedRun;
  endedMs: number | undefined;
}

interface Started {
  readonly begun: Promise<boolean>;
  readonly run: DetachedRun;
}

export class DetachedRuns implements DetachedRunner {
  readonly #options: DetachedRunsOptions;
  readonly #clock: () => number;
  /** In the order of their starts. */
  readonly #all = new Map<DetachKey, Kept>();
  readonly #timer: NodeJS.Timeout;
  #watchers = 0;

  /** What another program has left in the directory is removed: its runs are gone. */
  constructor(options: DetachedRunsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? (() => performance.now());
    this.#timer = setInterval(() => this.forgetOld(), SWEEP_MS).unref();
    emptyOfSpools(options.directory);
  }

  async start(request: DetachedRequest): Promise<DetachRefusal | StartFailed | undefined> {
    const started = this.#start(request);
    return 'refused' in started ? started : await this.#failureOf(started, request.command);
  }

  attach(key: DetachKey, wishes: AttachWishes): Attaching | DetachRefusal {
    const kept = this.#all.get(key);
    if (kept === undefined) return { refused: 'not-kept', reason: 'what it said is not kept there any more' };
    if (this.#watchers >= MAX_WATCHERS) {
      return {
        refused: 'too-many-watchers',
        reason: `${MAX_WATCHERS} watch detached runs there, as many as may at once`,
      };
    }
    const attachment = kept.run.attach(wishes, () => (this.#watchers -= 1));
    switch (attachment) {
      case 'no-input':
        return { refused: attachment, reason: 'its input is empty, as it was started' };
      case 'input-taken':
        return { refused: attachment, reason: 'somebody is attached already who gives it input' };
      case 'input-waits':
        return { refused: 'input-taken', reason: 'the command has not taken yet what it was given before' };
    }
    this.#watchers += 1;
    return { attachment, attached: Promise.resolve(undefined) };
  }

  ended(key: DetachKey): Promise<DetachedEnd | 'unknown'> {
    return this.#all.get(key)?.run.ended ?? Promise.resolve('unknown');
  }

  knows(key: DetachKey): boolean {
    return this.#all.has(key);
  }

  cancel(key: DetachKey): void {
    this.#all.get(key)?.run.cancel();
  }

  /** What ended long ago goes. */
  forgetOld(): void {
    for (const [key, { endedMs }] of this.#all) {
      if (endedMs !== undefined && this.#clock() - endedMs >= KEEP_MS) this.#forget(key);
    }
  }

  /** To be called when the runner is closed, so that all end: nothing is kept. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#all.values().map(({ run }) => run.ended));
    for (const key of this.#all.keys()) this.#forget(key);
  }

  /** Undefined: it goes on, or has ended otherwise. */
  async #failureOf({ begun, run }: Started, { kind }: RunCommand): Promise<StartFailed | undefined> {
    const isThere = await begun;
    if (isThere && kind === 'argv') return undefined;
    const end = isThere ? await within(this.#options.atOnceMs ?? AT_ONCE_MS, run.ended) : await run.ended;
    if (end === undefined) return undefined;
    const { result, status } = end.result;
    if (isThere && !(result === 'exited' && NOT_STARTED.has(status))) return undefined;
    const reason = 'reason' in end.result ? end.result.reason : run.firstWords.replace(/^partyline: /, '');
    return { failed: { result, status, reason: reason || 'it could not be started' } };
  }

  #start({ key, takesInput, keptBytes, ...request }: DetachedRequest): DetachRefusal | Started {
    const { runner, directory, onTrouble } = this.#options;
    const { maxRunning = MAX_RUNNING, maxKept = MAX_KEPT, maxSpoolBytes = MAX_SPOOL_BYTES } = this.#options;
    const running = this.#all.values().reduce((count, { endedMs }) => count + (endedMs === undefined ? 1 : 0), 0);
    if (running >= maxRunning) {
      return { refused: 'too-many-runs', reason: `${running} detached runs go on there, as many as may at once` };
    }
    const unusable = claimDirectory(directory, 'keep output');
    if (unusable !== undefined) return { refused: 'no-place', reason: unusable };
    for (const [oldest, { endedMs }] of this.#all) {
      if (this.#all.size < maxKept) break;
      if (endedMs !== undefined) this.#forget(oldest);
    }
    const most = Math.min(keptBytes, MAX_KEPT_BYTES);
    const failed = new Set<keyof typeof TROUBLES>();
    const spool = new Spool({
      path: join(directory, key),
      maxBytes: maxSpoolBytes,
      onDrain: () => run.goOn(),
      onGrown: () => this.#keepToBound(),
      onFailed: (error, attempt) => {
        if (failed.has(attempt)) return;
        failed.add(attempt);
        onTrouble(`Cannot ${attempt} output in ${directory}: ${wordsFor(error)}; ${TROUBLES[attempt]}`);
      },
    });
    const captures = {
      stdin: new Capture(newDigest(), 0),
      stdout: new Capture(newDigest(), most),
      stderr: new Capture(newDigest(), most),
    };
    const live = runner.start(request);
    const run: DetachedRun = new DetachedRun({ run: live, spool, captures, takesInput });
    const kept: Kept = { run, endedMs: undefined };
    this.#all.set(key, kept);
    void run.ended.then(() => (kept.endedMs = this.#clock()));
    return { begun: live.begun, run };
  }

  #forget(key: DetachKey): void {
    this.#all.get(key)?.run.spool.remove();
    this.#all.delete(key);
  }

  /** First goes what runs that have ended first said, then of those that go on the one that said most. */
  #keepToBound(): void {
    const { maxTotalBytes = MAX_TOTAL_BYTES } = this.#options;
    const spools = () => [...this.#all.values()].filter(({ run }) => run.spool.bytes > 0);
    for (let left = spools(); total(left) > maxTotalBytes; left = spools()) {
      const [most] = left.toSorted((a, b) => b.run.spool.bytes - a.run.spool.bytes);
      const victim = left.find(({ endedMs }) => endedMs !== undefined) ?? most;
      if (victim?.run.spool.dropOldest() !== true) break;
    }
  }
}

/** Undefined: it takes longer. */
async function within<Value>(ms: number, promise: Promise<Value>): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), ms)));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function total(kept: readonly Kept[]): number {
  return kept.reduce((sum, { run }) => sum + run.spool.bytes, 0);
}

/** The program before may have been killed. */
function emptyOfSpools(directory: string): void {
  for (const path of spoolsIn(directory)) {
    try {
      rmSync(path, { force: true });
    } catch {
      // The others may go: whoever cannot remove here will say so of the first run.
    }
  }
}

function spoolsIn(directory: string): string[] {
  try {
    // Never through a link.
    if (!lstatSync(directory).isDirectory()) return [];
    const files = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isFile());
    return files.filter(({ name }) => SPOOL_FILE.test(name)).map(({ name }) => join(directory, name));
  } catch {
    // There is none, or it is not to be read: the first run will say so.
    return [];
  }
}
