// A run on another machine, at the end that asked for it: a run like any other for whoever has it. What is not read here
// is not granted there, so that a slow reader slows the command and nothing piles up in between.

import type { Run, RunResult, TerminalSize } from '../core/ports.ts';
import { ListenedSink, ListenedSource } from '../core/run/listened.ts';
import type { NativeConnection, NativeEvent } from '../protocol/native/connection.ts';

/** The connection to that machine. */
export interface Far {
  readonly connection: NativeConnection;
  /** More bytes would only pile up here. */
  readonly isBacklogged: boolean;
  /** To be called after every call into the connection, which may write later in this turn. */
  settle(): void;
}

/** 0: there is none, as of a run that somebody is only attached to. */
export interface Streams {
  readonly stdin: number;
  readonly stdout: number;
  readonly stderr: number;
}

export interface RemoteRunOptions {
  readonly far: Far;
  readonly streams: Streams;
  readonly onCancel: () => void;
  readonly onResize: (size: TerminalSize) => void;
  /** Called once, before `ended` settles. */
  readonly onEnded: () => void;
}

type StreamEvent = Extract<NativeEvent, { stream: number }>;

export class RemoteRun implements Run {
  readonly stdin: RemoteSink;
  readonly stdout: RemoteSource;
  readonly stderr: RemoteSource;
  readonly ended: Promise<RunResult>;
  readonly #options: RemoteRunOptions;
  readonly #settle: (result: RunResult) => void;
  #result: RunResult | undefined;
  #isOver = false;

  constructor(options: RemoteRunOptions) {
    const { far, streams } = options;
    const { promise, resolve } = Promise.withResolvers<RunResult>();
    this.#options = options;
    this.ended = promise;
    this.#settle = resolve;
    this.stdin = new RemoteSink(streams.stdin, far);
    this.stdout = new RemoteSource(streams.stdout, far, () => this.#settleIfOver());
    this.stderr = new RemoteSource(streams.stderr, far, () => this.#settleIfOver());
    if (streams.stderr === 0) this.stderr.finish();
  }

  /** Those that there are. */
  get streams(): number[] {
    return Object.values(this.#options.streams).filter((stream) => stream !== 0);
  }

  receive(event: StreamEvent): void {
    const { stdin, stdout } = this.#options.streams;
    if (event.stream === stdin) this.stdin.receive(event);
    else (event.stream === stdout ? this.stdout : this.stderr).receive(event);
  }

  /** The connection takes bytes again. */
  update(): void {
    this.stdin.update();
  }

  cancel(): void {
    if (this.#result === undefined) this.#options.onCancel();
  }

  resize(size: TerminalSize): void {
    if (this.#result === undefined) this.#options.onResize(size);
  }

  /** The other end says how it ended, after the end of both outputs. */
  end(result: RunResult): void {
    this.#result ??= result;
    this.stdin.close();
    this.#settleIfOver();
  }

  /** Nobody knows any more how it fares, or whether it was started: no byte follows those that have come. */
  lose(reason: string): void {
    this.#cease({ result: 'lost', status: null, reason });
  }

  /** Whoever was attached to it hears no more; it may go on. */
  cut(reason: string): void {
    this.#cease({ result: 'lost', status: null, reason, mayGoOn: true });
  }

  /** The other end refuses it, for whatever reason: it never started. */
  deny(reason: string): void {
    this.#cease({ result: 'denied', status: null, reason });
  }

  #cease(result: RunResult): void {
    this.stdout.finish();
    this.stderr.finish();
    this.end(result);
  }

  #settleIfOver(): void {
    if (this.#isOver || this.#result === undefined || !this.stdout.hasEnded || !this.stderr.hasEnded) return;
    this.#isOver = true;
    this.#options.onEnded();
    this.#settle(this.#result);
  }
}

class RemoteSink extends ListenedSink {
  readonly #stream: number;
  readonly #far: Far;
  #isFull = false;

  constructor(stream: number, far: Far) {
    super();
    this.#stream = stream;
    this.#far = far;
  }

  write(chunk: Uint8Array): boolean {
    if (this.isClosed) return true;
    this.#far.connection.write(this.#stream, chunk);
    this.#far.settle();
    this.#isFull = !this.#hasRoom;
    return !this.#isFull;
  }

  end(): void {
    this.#far.connection.end(this.#stream);
    this.#far.settle();
  }

  receive(event: StreamEvent): void {
    if (event.type === 'drain') this.update();
    else if (event.type === 'reset') this.close();
  }

  update(): void {
    if (!this.#isFull || this.isClosed || !this.#hasRoom) return;
    this.#isFull = false;
    this.tellDrain();
  }

  get #hasRoom(): boolean {
    return !this.#far.connection.isHoldingBack(this.#stream) && !this.#far.isBacklogged;
  }
}

/** What came and is not wanted yet is bounded by the stream's window. */
class RemoteSource extends ListenedSource {
  readonly #stream: number;
  readonly #far: Far;
  readonly #onEnded: () => void;
  readonly #waiting: Uint8Array[] = [];
  #isWanted = false;
  /** `ended`: no byte follows those that wait. `over`: and none waits. */
  #phase: 'open' | 'ended' | 'over' = 'open';

  /** `onEnded` is called once, after the reader's own listener. */
  constructor(stream: number, far: Far, onEnded: () => void) {
    super();
    this.#stream = stream;
    this.#far = far;
    this.#onEnded = onEnded;
  }

  pause(): void {
    this.#isWanted = false;
  }

  resume(): void {
    this.#isWanted = true;
    this.#pass();
  }

  cancel(): void {
    if (this.#phase !== 'open') return this.#drop();
    this.#far.connection.reset(this.#stream);
    this.#far.settle();
    this.#phase = 'ended';
    return this.#drop();
  }

  receive(event: StreamEvent): void {
    if (this.#phase !== 'open') return;
    if (event.type === 'data') {
      this.#waiting.push(event.bytes);
      this.#pass();
    } else if (event.type === 'end') this.finish();
  }

  /** No byte follows those that have come. */
  finish(): void {
    if (this.#phase === 'open') this.#phase = 'ended';
    this.#tellIfOver();
  }

  #pass(): void {
    while (this.#isWanted) {
      const chunk = this.#waiting.shift();
      if (chunk === undefined) break;
      this.tellData(chunk);
      if (this.#phase === 'open') this.#far.connection.consume(this.#stream, chunk.length);
    }
    this.#far.settle();
    this.#tellIfOver();
  }

  #drop(): void {
    this.#waiting.length = 0;
    this.#tellIfOver();
  }

  #tellIfOver(): void {
    if (this.#phase !== 'ended' || this.#waiting.length > 0) return;
    this.#phase = 'over';
    this.tellEnd(this.#onEnded);
  }
}
