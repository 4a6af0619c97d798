// A run that begins when its start is on record. Until then it takes input and wishes; from then on its bytes are counted on
// their way, which stays as wide as it was.

import type { ByteSink, ByteSource, Run, RunResult, TerminalSize } from '../ports.ts';
import { NEVER_BEGAN } from './result.ts';
import type { Capture } from './capture.ts';
import type { KeptOutput, StreamFacts, Streams } from './record.ts';
import { withWhy, type RecordedResult } from './why.ts';

export type Captures = Readonly<Record<'stdin' | 'stdout' | 'stderr', Capture>>;

export class RecordedRun implements Run {
  readonly stdin: RecordedSink;
  readonly stdout: RecordedSource;
  readonly stderr: RecordedSource;
  readonly ended: Promise<RunResult>;
  readonly #captures: Captures;
  readonly #settle: (result: RunResult) => void;
  #run: Run | undefined;
  #isCancelled = false;
  /** By whom it was ended, and for what, as far as somebody said. */
  #why: string | undefined;
  /** New, and not told yet. */
  #size: TerminalSize | undefined;

  constructor(captures: Captures) {
    const { promise, resolve } = Promise.withResolvers<RunResult>();
    this.ended = promise;
    this.#settle = resolve;
    this.#captures = captures;
    this.stdin = new RecordedSink(captures.stdin);
    this.stdout = new RecordedSource(captures.stdout);
    this.stderr = new RecordedSource(captures.stderr);
  }

  /** The first to end it is who did. */
  cancel(why?: string): void {
    if (!this.#isCancelled) this.#why = why;
    this.#isCancelled = true;
    this.#run?.cancel();
  }

  resize(size: TerminalSize): void {
    if (this.#run === undefined) this.#size = size;
    else this.#run.resize(size);
  }

  /** Its start is on record. `onEnded` is told before anybody else how it ended, and what went through. */
  begin(start: () => Run, onEnded: (result: RecordedResult, streams: Streams<StreamFacts & KeptOutput>) => void): void {
    const settle = (result: RunResult) => {
      onEnded(withWhy(result, this.#why), this.#finish());
      this.#settle(result);
    };
    if (this.#isCancelled) {
      this.#drop();
      return settle(NEVER_BEGAN);
    }
    const run = start();
    this.#run = run;
    if (this.#size !== undefined) run.resize(this.#size);
    this.stdin.attach(run.stdin);
    this.stdout.attach(run.stdout);
    this.stderr.attach(run.stderr);
    void run.ended.then(settle);
    return undefined;
  }

  /** Its start could not be put on record: it never begins. */
  fail(reason: string): void {
    this.#drop();
    this.#settle({ result: 'lost', status: null, reason });
  }

  #finish(): Streams<StreamFacts & KeptOutput> {
    const { stdin, stdout, stderr } = this.#captures;
    return { stdin: stdin.finish(), stdout: stdout.finish(), stderr: stderr.finish() };
  }

  #drop(): void {
    this.stdin.drop();
    this.stdout.drop();
    this.stderr.drop();
  }
}

/** What comes before there is a command is held back: the writer is told that there is no room, and so it is little. */
export class RecordedSink implements ByteSink {
  readonly #capture: Pick<Capture, 'add'>;
  #inner: ByteSink | undefined;
  #held: Uint8Array[] = [];
  #hasEnded = false;
  #tellDrain: (() => void) | undefined;
  #tellClosed: (() => void) | undefined;

  constructor(capture: Pick<Capture, 'add'>) {
    this.#capture = capture;
  }

  write(chunk: Uint8Array): boolean {
    if (this.#inner === undefined) {
      this.#held.push(chunk);
      return false;
    }
    this.#capture.add(chunk);
    return this.#inner.write(chunk);
  }

  onDrain(listener: () => void): void {
    this.#tellDrain = listener;
  }

  onClosed(listener: () => void): void {
    this.#tellClosed = listener;
  }

  end(): void {
    this.#hasEnded = true;
    this.#inner?.end();
  }

  attach(inner: ByteSink): void {
    this.#inner = inner;
    inner.onDrain(() => this.#tellDrain?.());
    inner.onClosed(() => this.#tellClosed?.());
    const held = this.#held;
    this.#held = [];
    let hasRoom = true;
    for (const chunk of held) hasRoom = this.write(chunk);
    if (this.#hasEnded) inner.end();
    if (held.length > 0 && hasRoom) this.#tellDrain?.();
  }

  /** Nobody will take any of it. */
  drop(): void {
    this.#held = [];
    this.#tellClosed?.();
  }
}

export class RecordedSource implements ByteSource {
  readonly #capture: Pick<Capture, 'add'>;
  #inner: ByteSource | undefined;
  #isWanted = false;
  #isCancelled = false;
  #tellData: ((chunk: Uint8Array, release?: () => void) => void) | undefined;
  #tellEnd: (() => void) | undefined;

  constructor(capture: Pick<Capture, 'add'>) {
    this.#capture = capture;
  }

  onData(listener: (chunk: Uint8Array, release?: () => void) => void): void {
    this.#tellData = listener;
  }

  onEnd(listener: () => void): void {
    this.#tellEnd = listener;
  }

  pause(): void {
    this.#isWanted = false;
    this.#inner?.pause();
  }

  resume(): void {
    this.#isWanted = true;
    this.#inner?.resume();
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#inner?.cancel();
  }

  attach(inner: ByteSource): void {
    this.#inner = inner;
    inner.onData((chunk, release) => {
      this.#capture.add(chunk);
      this.#tellData?.(chunk, release);
    });
    inner.onEnd(() => this.#tellEnd?.());
    if (this.#isCancelled) inner.cancel();
    else if (this.#isWanted) inner.resume();
  }

  /** No byte ever comes. */
  drop(): void {
    this.#tellEnd?.();
  }
}
