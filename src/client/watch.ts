// Watching a detached run, for a program: what it said and says, in its order, also over lost connections.

import { Attached } from './attach.ts';
import { delayBefore, type Reconnect } from './backoff.ts';
import { Input, type InputSource } from './input.ts';
import { resultOf, type RunResult } from './outcome.ts';
import { Output } from './output.ts';
import type { OutputName, RunEnd, Runs } from './run.ts';
import { lostError, type Refusal, type Running, type Startable } from './running.ts';
import type { Wire } from './wire.ts';
import type { World } from './world.ts';

export type Piece =
  | { readonly stream: OutputName; readonly bytes: Uint8Array }
  /** So many bytes of both outputs are kept no more. */
  | { readonly stream: 'missing'; readonly count: number };

export interface AttachOptions {
  /** Which of its machines, by its place among the record's results; the first without it. */
  readonly host?: number;
  /** Bytes of both outputs before what is wanted, or what comes from now on; all that is kept without it. */
  readonly from?: number | 'end';
  /** For a run that was started with `takesInput`: what it is given; `true`: what is written to `stdin`. */
  readonly stdin?: InputSource | true;
  /** Ends the watching. */
  readonly signal?: AbortSignal;
}

interface WatchOptions {
  readonly id: number;
  readonly options: AttachOptions;
  readonly running: Running;
  readonly world: World;
}

/** Of a server that stops, and of one that has come back before its machine. */
const FOR_NOW = new Set(['closing', 'offline']);
/** A machine dials again as late as after half a minute. */
const MACHINES_BACK: Reconnect = { attempts: 9 };

export class Watch implements Startable, AsyncDisposable {
  /** How the run ended; `lost`: it is not watched any more, and the record says what became of it. Never rejects. */
  readonly result: Promise<RunResult>;
  readonly output: Output<Piece>;
  readonly stdin = new Input();
  readonly #options: WatchOptions;
  readonly #onAbort = () => this.close();
  readonly #settle: (result: RunResult) => void;
  readonly #givesInput: boolean;
  #attached: Attached | undefined;
  /** Where the connection that comes next goes on. */
  #from: number | 'end';
  #position: number | undefined;
  #isOver = false;
  /** So often it was tried since it was cut off; undefined: it was not. */
  #attempt: number | undefined;
  #stopWaiting: () => void = () => {};

  constructor(watch: WatchOptions) {
    const { promise: result, resolve: settle } = Promise.withResolvers<RunResult>();
    const { from = 0, stdin, signal } = watch.options;
    this.result = result;
    this.#settle = settle;
    this.#options = watch;
    this.#from = from;
    if (from !== 'end') this.#position = from;
    this.output = new Output(() => this.close());
    this.#givesInput = stdin !== undefined;
    if (stdin === undefined) this.stdin.close();
    else if (stdin !== true) void this.#feed(stdin);
    if (signal?.aborted === true) this.close();
    else {
      signal?.addEventListener('abort', this.#onAbort);
      watch.running.start(this);
    }
  }

  /** Where to go on from: everything that was read comes before it. Undefined: nothing was, and it began at the end. */
  get position(): number | undefined {
    return this.#position;
  }

  /** Ends the watching; the run goes on. */
  close(): void {
    if (this.#isOver) return;
    this.#options.running.withdraw(this);
    this.#attached?.leave();
    this.output.end();
    this.#conclude({ result: 'lost', status: null, reason: 'it is not watched here any more' });
    this.output.cancel();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  // ── for whoever attaches ──

  begin(runs: Runs, wire: Wire): Promise<void> {
    const { id, options } = this.#options;
    const wishes = { id, host: options.host ?? 0, from: this.#from, givesInput: this.#givesInput };
    const attached: Attached = runs.follow((hooks) => {
      const listener = {
        onOutput: (stream: OutputName, bytes: Uint8Array, done: () => void) => {
          const after = attached.position;
          const onRead = () => (this.#position = after);
          this.output.push({ stream, bytes }, { length: bytes.length, done, onRead });
        },
        onMissing: (count: number) => this.output.push({ stream: 'missing', count }, { length: 0, done: () => {} }),
        onInputRoom: () => this.stdin.hasRoom(),
        onInputClosed: () => this.stdin.close(),
      };
      return new Attached(wire, { wishes, listener, hooks });
    });
    this.#attached = attached;
    this.stdin.attach({ write: (bytes) => attached.write(bytes), endInput: () => attached.endInput() });
    void attached.ended.then((end) => this.#ended(end));
    return attached.answered;
  }

  refuse({ code, reason }: Refusal): void {
    if (code === 'too-many-runs') this.#conclude({ result: 'denied', status: null, code, reason });
    else this.#conclude({ result: 'lost', status: null, reason });
  }

  // ── inside ──

  #ended(end: RunEnd): void {
    const delayMs = this.#delayBeforeNext(end);
    if (this.#isOver || delayMs === undefined) return this.#conclude(resultOf(end));
    this.#from = this.#attached?.position ?? this.#from;
    const { running, world } = this.#options;
    this.#stopWaiting = world.after(delayMs, () => running.start(this));
  }

  /**
   * Undefined: that is the end. What a run is given comes over one connection: after that has gone nobody knows how much of
   * it has arrived, so whoever gives it does not go on by itself.
   */
  #delayBeforeNext(end: RunEnd): number | undefined {
    if (this.#givesInput) return undefined;
    const isGone = end.end === 'lost' && end.mayGoOn === true;
    if (isGone && (this.#attempt === undefined || this.#attached?.number !== undefined)) this.#attempt = 0;
    // A server that has come back waits for its machines, as we have waited for it.
    const isAwaited = isGone || (end.end === 'refused' && FOR_NOW.has(end.code));
    if (!isAwaited || this.#attempt === undefined) return undefined;
    return delayBefore(this.#attempt++, MACHINES_BACK, () => this.#options.world.random());
  }

  async #feed(source: InputSource): Promise<void> {
    // The run is not ours to end: its input stays open, for whoever attaches next.
    await this.stdin.feed(source).catch(() => this.close());
  }

  #conclude(result: RunResult): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopWaiting();
    this.#options.options.signal?.removeEventListener('abort', this.#onAbort);
    this.stdin.close();
    if (result.result === 'lost') this.output.fail(lostError(result.reason));
    else this.output.end();
    this.#settle(result);
  }
}
