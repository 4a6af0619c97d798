// One run and its three streams, at the end where it was started. An output is read only while the client has granted credit for it and the socket is
// not behind; input is granted as the command takes it. So a run costs a few buffers, however much flows.

import type { ByteSource, Run, RunResult, TerminalSize } from '../core/ports.ts';
import type { NativeConnection, NativeEvent } from '../protocol/native/connection.ts';
import { RUN_ENDED, type RunStart } from '../protocol/native/methods/run.ts';
import type { Pump } from '../protocol/native/pump.ts';
import { toRunEnded } from './ended.ts';

/** Those that the other end wants; whoever is attached has one output, and may give no input. */
export type ServedStreams = Pick<RunStart, 'stdout'> & Partial<Pick<RunStart, 'stdin' | 'stderr'>>;

export interface ServedRunOptions {
  readonly id: number;
  readonly run: Run;
  readonly streams: ServedStreams;
  readonly connection: NativeConnection;
  readonly pump: Pick<Pump, 'settle' | 'isBacklogged'>;
  /** The client has been told how the run ended. */
  readonly onEnded: (run: ServedRun) => void;
  /** Answers the request that started it, if that may wait for the end: who asked needs the number to end it, say. */
  readonly onNumbered?: (() => void) | undefined;
}

/**
 * An output that has ended says so with the end of its run where that follows at once, as it mostly does: one message in the
 * place of three, each of which wakes the other end up. So does the answer with its number. Nobody feels so long a wait.
 */
const HELD_MS = 10;

type StreamEvent = Extract<NativeEvent, { stream: number }>;

export class ServedRun {
  readonly id: number;
  readonly #run: Run;
  /** 0: there is none. */
  readonly #stdin: number;
  readonly #connection: NativeConnection;
  readonly #pump: Pick<Pump, 'settle' | 'isBacklogged'>;
  readonly #onEnded: (run: ServedRun) => void;
  /** Outputs whose END is not on its way yet. */
  readonly #outputs = new Map<number, Output>();
  #result: RunResult | undefined;
  #cancelReason: string | undefined;
  #isGone = false;
  #tellNumber: (() => void) | undefined;
  #heldNumber: NodeJS.Timeout | undefined;

  constructor({ id, run, streams, connection, pump, onEnded, onNumbered }: ServedRunOptions) {
    this.id = id;
    this.#run = run;
    this.#stdin = streams.stdin ?? 0;
    this.#connection = connection;
    this.#pump = pump;
    this.#onEnded = onEnded;
    if (streams.stdin !== undefined) {
      connection.accept(streams.stdin, 'in');
      this.#takeInput();
    }
    this.#tellNumber = onNumbered;
    if (onNumbered !== undefined) this.#heldNumber = setTimeout(() => this.#answerLate(), HELD_MS);
    const isRunOver = () => this.#result !== undefined;
    for (const [stream, source] of [[streams.stdout, run.stdout] as const, [streams.stderr, run.stderr] as const]) {
      if (stream === undefined) continue;
      connection.accept(stream, 'out');
      this.#outputs.set(stream, new Output(stream, source, { connection, pump, isRunOver }));
    }
    void run.ended.then((result) => {
      this.#result = result;
      this.#answer();
      for (const output of this.#outputs.values()) output.endNow();
      this.#tellWhenOver();
      this.#pump.settle();
    });
  }

  get streams(): number[] {
    return [this.#stdin, ...this.#outputs.keys()];
  }

  receive(event: StreamEvent): void {
    switch (event.type) {
      case 'data':
        return this.#write(event.bytes);
      case 'end':
        return this.#run.stdin.end();
      case 'drain':
        return this.#outputs.get(event.stream)?.update();
      case 'reset':
        return this.#outputs.get(event.stream)?.cancel();
      case 'finished':
        this.#outputs.delete(event.stream);
        this.#tellWhenOver();
    }
  }

  /** The socket takes bytes again. */
  update(): void {
    for (const output of this.#outputs.values()) output.update();
  }

  /** `why`: for the record; `told`: to the other end, where it did not ask for it. */
  cancel(why?: string, told?: string): void {
    this.#cancelReason ??= told;
    this.#run.cancel(why);
  }

  resize(size: TerminalSize): void {
    this.#run.resize(size);
  }

  /** Nobody listens any more: nothing of the run may go on. */
  abandon(why?: string): void {
    this.#isGone = true;
    this.#run.cancel(why);
    this.#run.stdin.end();
    this.#connection.reset(this.#stdin);
    for (const output of this.#outputs.values()) output.cancel();
  }

  /** Before anything is said of how it ended. To be followed by `settle`. */
  #answer(): void {
    clearTimeout(this.#heldNumber);
    this.#tellNumber?.();
    this.#tellNumber = undefined;
  }

  #answerLate(): void {
    if (this.#isGone) return;
    this.#answer();
    this.#pump.settle();
  }

  #owedBytes = 0;

  #takeInput(): void {
    this.#run.stdin.onDrain(() => {
      this.#connection.consume(this.#stdin, this.#owedBytes);
      this.#owedBytes = 0;
      this.#pump.settle();
    });
    this.#run.stdin.onClosed(() => {
      this.#connection.reset(this.#stdin);
      this.#pump.settle();
    });
  }

  #write(bytes: Uint8Array): void {
    if (this.#run.stdin.write(bytes)) this.#connection.consume(this.#stdin, bytes.length);
    else this.#owedBytes += bytes.length;
  }

  #tellWhenOver(): void {
    if (this.#result === undefined || this.#outputs.size > 0) return;
    if (!this.#isGone) {
      this.#connection.reset(this.#stdin);
      this.#connection.notify(RUN_ENDED, toRunEnded(this.id, this.#result, this.#cancelReason));
      this.#pump.settle();
    }
    this.#onEnded(this);
  }
}

interface OutputOptions extends Pick<ServedRunOptions, 'connection' | 'pump'> {
  /** Whoever is attached may know how the run ended before all of the output is read: there is no end to wait for then. */
  readonly isRunOver: () => boolean;
}

class Output {
  readonly #stream: number;
  readonly #source: ByteSource;
  readonly #connection: NativeConnection;
  readonly #pump: Pick<Pump, 'settle' | 'isBacklogged'>;
  #isPaused = false;
  /** The source has ended, and the other end does not know yet. */
  #held: NodeJS.Timeout | undefined;

  constructor(stream: number, source: ByteSource, { connection, pump, isRunOver }: OutputOptions) {
    this.#stream = stream;
    this.#source = source;
    this.#connection = connection;
    this.#pump = pump;
    source.onData((chunk, release) => {
      connection.write(stream, chunk, release);
      pump.settle();
      this.update();
    });
    source.onEnd(() => {
      const tell = (): void => {
        this.endNow();
        pump.settle();
      };
      this.#held = setTimeout(tell, HELD_MS);
      if (isRunOver()) tell();
    });
    source.resume();
  }

  /** What was held back. To be followed by `settle`. */
  endNow(): void {
    if (this.#held === undefined) return;
    clearTimeout(this.#held);
    this.#held = undefined;
    this.#connection.end(this.#stream);
  }

  update(): void {
    const mustWait = this.#connection.isHoldingBack(this.#stream) || this.#pump.isBacklogged;
    if (mustWait === this.#isPaused) return;
    this.#isPaused = mustWait;
    if (mustWait) this.#source.pause();
    else this.#source.resume();
  }

  cancel(): void {
    this.#source.cancel();
  }
}
