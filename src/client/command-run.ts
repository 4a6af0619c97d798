// A command that a program runs: its three streams, and how it went. The connection is somebody else's.

import type { WireSize } from '../protocol/native/methods/run.ts';
import { getApproval, NEEDS_APPROVAL, wordsForNeeding, type AskedApproval } from './approval.ts';
import { Input, type InputSource } from './input.ts';
import { resultOf, type RunResult } from './outcome.ts';
import { Output } from './output.ts';
import type { OutputName, RunHandle, Runs, RunWishes } from './run.ts';
import { lostError, type Refusal, type Running, type Startable, type Together } from './running.ts';
import { readTexts, type Texts } from './texts.ts';
import { wishesOf, type What, type Where } from './wishes.ts';
import type { Wire } from './wire.ts';
import type { World } from './world.ts';

/** Milliseconds for the server to say that a command which was cancelled has ended: as long as a stubborn one is given. */
const CONFIRM_TIMEOUT_MS = 10_000;

export type RunOptions = What &
  Where & {
    /** What it reads; `true`: what is written to `stdin`; without it nothing. */
    readonly stdin?: InputSource | true;
    /** It runs in a terminal of this size: `stdin` is typed there, and all output comes on `stdout`. */
    readonly terminal?: WireSize;
    /**
     * Where the policy wants a second person: they are asked, this is told who that is, and the command waits for them, without
     * input. Without it such a command is `denied`, with the code `needs-approval`.
     */
    readonly onApproval?: (asked: AskedApproval) => void;
    /** Cancels it. */
    readonly signal?: AbortSignal;
  };

interface CommandRunOptions {
  readonly options: RunOptions;
  readonly together?: Together | undefined;
  /** Of a request that was approved, on the connection that there is. */
  readonly approval?: number | undefined;
  readonly running: Running;
  readonly world: World;
}

export class CommandRun implements Startable, AsyncDisposable {
  /** Never rejects: whatever happens is a result. */
  readonly result: Promise<RunResult>;
  /** The number under which it is on record, once it has started; undefined where it did not. */
  readonly record: Promise<number | undefined>;
  readonly stdin = new Input();
  readonly stdout: Output;
  readonly stderr: Output;
  readonly #wishes: RunWishes;
  readonly #options: Omit<CommandRunOptions, 'options'>;
  readonly #signal: AbortSignal | undefined;
  readonly #onApproval: RunOptions['onApproval'];
  readonly #hasInput: boolean;
  readonly #onAbort = () => void this.cancel();
  readonly #settle: (result: RunResult) => void;
  readonly #tellRecord: (record: number | undefined) => void;
  #handle: RunHandle | undefined;
  /** Of the request for approval that it waits for. */
  readonly #withdrawal = new AbortController();
  /** Settles when the server has said whether it takes that request. */
  #asking: Promise<void> | undefined;
  #isCancelled = false;
  #isOver = false;
  #size: WireSize | undefined;
  /** Of its being cancelled, where the program did not ask for that. */
  #why: string | undefined;
  #giveUp: () => void = () => {};

  constructor({ options, ...others }: CommandRunOptions) {
    const { promise: result, resolve: settle } = Promise.withResolvers<RunResult>();
    const { promise: record, resolve: tellRecord } = Promise.withResolvers<number | undefined>();
    this.result = result;
    this.record = record;
    this.#settle = settle;
    this.#tellRecord = tellRecord;
    this.#options = others;
    this.stdout = new Output(() => this.#handle?.dropOutput('stdout'));
    this.stderr = new Output(() => this.#handle?.dropOutput('stderr'));
    const { signal, stdin, onApproval } = options;
    this.#wishes = wishesOf(options);
    this.#signal = signal;
    this.#onApproval = onApproval;
    this.#hasInput = stdin !== undefined;
    if (stdin === undefined) this.stdin.end();
    else if (stdin !== true) void this.#feed(stdin);
    if (signal?.aborted === true) this.#conclude(NOT_STARTED);
    else {
      signal?.addEventListener('abort', this.#onAbort);
      others.running.start(this);
    }
  }

  /** Ends it, with everything that it started; settles as `result` does. What it has said until then can be read. */
  cancel(): Promise<RunResult> {
    if (this.#isOver) return this.result;
    this.#isCancelled = true;
    if (this.#handle === undefined) {
      this.#options.running.withdraw(this);
      this.#withdrawal.abort();
      this.#conclude(NOT_STARTED);
      return this.result;
    }
    this.stdout.hurry();
    this.stderr.hurry();
    this.#handle.cancel();
    const reason = `the server did not confirm within ${CONFIRM_TIMEOUT_MS / 1_000} s that the command has ended`;
    this.#giveUp();
    this.#giveUp = this.#options.world.after(CONFIRM_TIMEOUT_MS, () =>
      this.#conclude({ result: 'lost', status: null, reason }),
    );
    return this.result;
  }

  /** Of its terminal. */
  resize(size: WireSize): void {
    this.#size = size;
    this.#handle?.resize(size);
  }

  /** Reads both outputs to their end; of each as much is kept as `maxBytes`, 1 MiB without it. */
  async text({ maxBytes }: { readonly maxBytes?: number } = {}): Promise<RunResult & Texts> {
    const texts = await readTexts(this, maxBytes);
    return { ...(await this.result), ...texts };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cancel();
  }

  // ── for whoever starts it ──

  async begin(runs: Runs, wire: Wire): Promise<void> {
    const { together, approval } = this.#options;
    const wishes = {
      ...this.#wishes,
      ...(together === undefined ? {} : { together: together.on(runs) }),
      ...(approval === undefined ? {} : { approval }),
    };
    await this.#start(wishes, { runs, wire });
    await this.#asking;
  }

  #start(wishes: RunWishes, on: { readonly runs: Runs; readonly wire: Wire }): Promise<void> {
    // What is refused first has read nothing.
    const mayAsk = this.#onApproval !== undefined && wishes.approval === undefined;
    const take = (name: OutputName, bytes: Uint8Array, done: () => void) =>
      this[name].push(bytes, { length: bytes.length, done });
    const handle = on.runs.start(wishes, {
      onStarted: (record) => {
        if (mayAsk) this.stdin.attach(handle);
        this.#tellRecord(record);
      },
      onOutput: take,
      onOutputEnd: (name) => this[name].end(),
      onInputRoom: () => this.stdin.hasRoom(),
      onInputClosed: () => this.stdin.close(),
    });
    this.#handle = handle;
    if (!mayAsk) this.stdin.attach(handle);
    if (this.#size !== undefined) handle.resize(this.#size);
    void handle.ended.then((end) => {
      const isNeeded = mayAsk && end.end === 'refused' && end.code === NEEDS_APPROVAL;
      return isNeeded ? this.#ask(wishes, on) : this.#conclude(resultOf(end));
    });
    return handle.answered;
  }

  /** Somebody else has to say yes first; what starts then is what they have seen. */
  async #ask(wishes: RunWishes, on: { readonly runs: Runs; readonly wire: Wire }): Promise<void> {
    this.#handle = undefined;
    if (this.#isCancelled) return this.#conclude(NOT_STARTED);
    if (this.#hasInput && wishes.terminal === undefined) {
      return this.#conclude(deniedFor(NEEDS_APPROVAL, wordsForNeeding({ hasInput: true })));
    }
    const { signal } = this.#withdrawal;
    const onApproval = this.#onApproval ?? (() => {});
    const { promise: asking, resolve: onAnswered } = Promise.withResolvers<void>();
    this.#asking = asking;
    const decided = await getApproval(on.wire, wishes, { onAnswered, onApproval, signal })
      .catch((error: unknown) => {
        this.#why = `onApproval failed: ${error instanceof Error ? error.message : String(error)}`;
        return undefined;
      })
      .finally(onAnswered);
    if (this.#isOver) return undefined;
    if (decided === undefined) return this.#conclude(NOT_STARTED);
    if ('lost' in decided) return this.refuse({ code: 'unreachable', reason: decided.lost });
    if ('refused' in decided) return this.#conclude(deniedFor(decided.code, decided.refused));
    await this.#start({ ...wishes, approval: decided.approved.approval }, on);
    return undefined;
  }

  refuse({ code, reason }: Refusal): void {
    if (code === 'too-many-runs') this.#conclude({ result: 'denied', status: null, code, reason });
    else this.#conclude({ result: 'lost', status: null, reason: `${reason}; nothing was started` });
  }

  // ── inside ──

  async #feed(source: InputSource): Promise<void> {
    try {
      await this.stdin.feed(source);
    } catch (error) {
      // What it has read so far is not what it was meant to read.
      this.#why = `its input failed: ${error instanceof Error ? error.message : String(error)}`;
      await this.cancel();
    }
  }

  #conclude(result: RunResult): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#giveUp();
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.stdin.close();
    for (const output of [this.stdout, this.stderr]) {
      if (result.result === 'lost') output.fail(lostError(result.reason));
      else output.end();
    }
    this.#tellRecord(undefined);
    const why = this.#why;
    this.#settle(result.result === 'cancelled' && why !== undefined ? { ...result, reason: why } : result);
  }
}

function deniedFor(code: string, reason: string): RunResult {
  return { result: 'denied', status: null, code, reason };
}

const NOT_STARTED: RunResult = { result: 'cancelled', status: null, reason: 'nothing was started' };
