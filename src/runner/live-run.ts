// One run as the server sees it: three pipes, and how far it has come. The runner process says what happens to the
// command; here it is decided when the run has ended, and as what.

import type { LocalRun, RunResult, TerminalSize } from '../core/ports.ts';
import { type EndedFor, type Ending, resultOf } from '../core/run/result.ts';
import type { ServerEnds } from './pipes.ts';
import { PipeSink } from './sink.ts';
import { PipeSource } from './source.ts';

/** setTimeout takes 31 bits; a longer time is waited for in several pieces. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** After KILL nothing takes this long but a process that hangs in the kernel or left its session. */
const UNKILLABLE_MS = 500;
/** What is left behind may say its last words for so long while somebody reads them; `yes &` would never end. */
const LONGEST_DRAIN_MS = 2_000;
/** Added where the command's end was not told: by then it has been, or a runner process that says nothing was killed. */
const UNTOLD_MS = 2_500;
const SIGHUP = 1;
const SIGKILL = 9;

export interface RunOptions {
  /** It has one, of this size. */
  readonly terminal?: TerminalSize | undefined;
  readonly resize: (size: TerminalSize) => void;
  readonly timeoutMs: number | undefined;
  readonly drainMs: number;
  readonly killGraceMs: number;
  /** All of the command's session is to be ended, over so many milliseconds. Not called before the command was asked for. */
  readonly endSession: (graceMs: number) => void;
  /** Called once, before `ended` settles. */
  readonly onSettled: () => void;
}

/** `waiting`: for pipes; nothing was started. `running`: asked for. `draining`: the command has exited. */
type Phase = 'waiting' | 'running' | 'draining' | 'settled';

type Outcome = Ending | { readonly kind: 'lost' | 'denied'; readonly reason: string };

export class LiveRun implements LocalRun {
  readonly stdin = new PipeSink();
  readonly stdout = new PipeSource(() => this.#settleIfDone());
  readonly stderr = new PipeSource(() => this.#settleIfDone());
  readonly ended: Promise<RunResult>;
  readonly #begun = Promise.withResolvers<boolean>();
  readonly begun = this.#begun.promise;
  readonly #options: RunOptions;
  readonly #settleEnded: (result: RunResult) => void;
  #phase: Phase = 'waiting';
  #endedFor: EndedFor;
  #isCancelled = false;
  #outcome: Outcome | undefined;
  #terminal: TerminalSize | undefined;
  #timeout: NodeJS.Timeout | undefined;
  #unkillable: NodeJS.Timeout | undefined;

  constructor(options: RunOptions) {
    this.#options = options;
    this.#terminal = options.terminal;
    const { promise, resolve } = Promise.withResolvers<RunResult>();
    this.ended = promise;
    this.#settleEnded = resolve;
    if (options.timeoutMs !== undefined) this.#waitForTimeout(options.timeoutMs);
  }

  get isWaiting(): boolean {
    return this.#phase === 'waiting';
  }

  /** As large as it is now. */
  get terminal(): TerminalSize | undefined {
    return this.#terminal;
  }

  resize(size: TerminalSize): void {
    if (this.#terminal === undefined || this.#phase === 'settled') return;
    this.#terminal = size;
    this.#options.resize(size);
  }

  cancel(): void {
    this.abandon(this.#options.killGraceMs);
  }

  /** As `cancel`, with a grace of its own: the server closes. */
  abandon(graceMs: number): void {
    this.#isCancelled = true;
    this.#endFor('cancel', graceMs);
  }

  begin(ends: ServerEnds): void {
    this.#phase = 'running';
    this.stdin.attach(ends);
    this.stdout.attach(ends.stdout, ends.paths[1]);
    this.stderr.attach(ends.stderr, ends.paths[2]);
  }

  /** The command's ends of the pipes are open, if there is one. */
  started(isThere = true): void {
    this.#begun.resolve(isThere);
    this.stdin.open();
    this.stdout.open();
    this.stderr.open();
  }

  /** Instead of `started`: there was a command, and nothing of it is left. */
  passed(): void {
    this.#begun.resolve(true);
    this.stdin.close();
    this.stdout.openRest();
    this.stderr.openRest();
  }

  exited(ending: Ending): void {
    this.#leave(ending);
  }

  /** Nothing was started, and nothing will be. */
  refuse(reason: string): void {
    this.#leaveUntold({ kind: 'denied', reason: `${reason}; nothing was started` });
  }

  /** Nobody knows any more how it fares, or whether it was started. */
  lose(reason: string): void {
    this.#leaveUntold({ kind: 'lost', reason });
  }

  #leaveUntold(outcome: Outcome): void {
    if (this.#phase === 'waiting') {
      this.stdout.end();
      this.stderr.end();
    }
    // Whoever could write is gone: what the pipes hold can be read, and then their end.
    this.started(false);
    // A run that was to end has ended: its session was sent KILL.
    this.#leave(this.#endedFor ? { kind: 'signal', signal: SIGKILL } : outcome);
  }

  #leave(outcome: Outcome): void {
    if (this.#phase === 'draining' || this.#phase === 'settled') return;
    this.#phase = 'draining';
    this.#outcome = outcome;
    this.#drain();
    this.#settleIfDone();
  }

  #drain(): void {
    const how = {
      quietMs: this.#options.drainMs,
      longestMs: LONGEST_DRAIN_MS,
      onStill: () => this.#silence(),
      evenIfPaused: this.#isCancelled,
    };
    this.stdout.endWhenQuiet(how);
    this.stderr.endWhenQuiet(how);
  }

  /** What the command left behind writes and writes: it is ended, and the run as it would have been without it. */
  #silence(): void {
    if (this.#unkillable === undefined) this.#end(this.#options.killGraceMs);
  }

  #endFor(why: 'timeout' | 'cancel', graceMs: number): void {
    if (this.#phase === 'settled') return;
    this.#endedFor ??= why;
    if (this.#phase === 'waiting') {
      this.stdout.end();
      this.stderr.end();
      this.#leave({ kind: 'signal', signal: SIGHUP });
      return;
    }
    this.#end(graceMs);
    if (this.#phase === 'draining') this.#drain();
  }

  #end(graceMs: number): void {
    this.#options.endSession(graceMs);
    clearTimeout(this.#unkillable);
    this.#unkillable = setTimeout(() => {
      if (this.#phase === 'draining') this.#giveUp();
      else this.#unkillable = setTimeout(() => this.#giveUp(), UNTOLD_MS);
    }, graceMs + UNKILLABLE_MS);
  }

  /** What is still there now, hanging in the kernel or out of the session's reach, is waited for no longer. */
  #giveUp(): void {
    this.started();
    this.#leave({ kind: 'signal', signal: SIGKILL });
    for (const source of [this.stdout, this.stderr]) {
      if (this.#isCancelled) source.end();
      else source.endSoon();
    }
  }

  #settleIfDone(): void {
    if (this.#phase !== 'draining' || !this.stdout.hasEnded || !this.stderr.hasEnded) return;
    if (this.#outcome === undefined) return;
    this.#phase = 'settled';
    this.#begun.resolve(false);
    clearTimeout(this.#timeout);
    clearTimeout(this.#unkillable);
    this.stdin.close();
    this.stdout.release();
    this.stderr.release();
    this.#options.onSettled();
    const outcome = this.#outcome;
    this.#settleEnded(
      'reason' in outcome
        ? { result: outcome.kind, status: null, reason: outcome.reason }
        : resultOf(outcome, this.#endedFor),
    );
  }

  #waitForTimeout(leftMs: number): void {
    const step = Math.min(leftMs, MAX_TIMER_MS);
    this.#timeout = setTimeout(() => {
      if (leftMs > step) this.#waitForTimeout(leftMs - step);
      else this.#endFor('timeout', this.#options.killGraceMs);
    }, step);
  }
}
