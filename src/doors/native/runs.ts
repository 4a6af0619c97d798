// The runs that a connection has started: their streams, and what becomes of them when it ends.

import type { Run, TerminalSize } from '../../core/ports.ts';
import type { NativeConnection, NativeEvent } from '../../protocol/native/connection.ts';
import type { Pump } from '../../protocol/native/pump.ts';
import { ServedRun, type ServedStreams } from '../../relay/served-run.ts';

type StreamEvent = Extract<NativeEvent, { stream: number }>;

export interface RunsOptions {
  readonly connection: NativeConnection;
  readonly pump: Pump;
  /** The client has been told how one of them ended, or wants none of it any more. */
  readonly onEnded: () => void;
}

export class SessionRuns {
  readonly #options: RunsOptions;
  readonly #all = new Map<number, ServedRun>();
  readonly #ofStream = new Map<number, ServedRun>();
  #last = 0;

  constructor(options: RunsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#all.size;
  }

  /** Makes the streams of a run; returns its number. */
  add(run: Run, streams: ServedStreams): number {
    const { connection, pump } = this.#options;
    const id = ++this.#last;
    const served = new ServedRun({ id, run, streams, connection, pump, onEnded: () => this.#forget(served) });
    this.#all.set(id, served);
    for (const stream of served.streams) this.#ofStream.set(stream, served);
    return id;
  }

  receive(event: StreamEvent): void {
    this.#ofStream.get(event.stream)?.receive(event);
  }

  /** The connection takes bytes again. */
  update(): void {
    for (const run of this.#all.values()) run.update();
  }

  abandon(id: number): void {
    this.#all.get(id)?.abandon();
    this.#options.pump.settle();
  }

  /** Nobody is there any more. */
  abandonAll(why: string): void {
    for (const run of this.#all.values()) run.abandon(why);
  }

  cancel(id: number, why: string): boolean {
    const run = this.#all.get(id);
    run?.cancel(why);
    return run !== undefined;
  }

  cancelAll(why: string, told: string): void {
    for (const run of this.#all.values()) run.cancel(why, told);
  }

  resize(id: number, size: TerminalSize): boolean {
    const run = this.#all.get(id);
    run?.resize(size);
    return run !== undefined;
  }

  #forget(run: ServedRun): void {
    this.#all.delete(run.id);
    for (const [stream, owner] of this.#ofStream) if (owner === run) this.#ofStream.delete(stream);
    this.#options.onEnded();
  }
}
