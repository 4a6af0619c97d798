// A command run from the line protocol: its output as lines, with plain back-pressure, and at the end how it ended.

import type { ByteSource, Run } from '../../core/ports.ts';
import { OutputLines } from '../../protocol/line/output.ts';
import { formatOutput } from '../../protocol/line/reply.ts';
import { wordsForResult } from './translate.ts';

/** The side of a connection that a run writes to. */
export interface RunListener {
  tell(text: string): void;
  /** Whether so much waits to be written that the run is to be read no further for now. */
  readonly isBehind: boolean;
}

export class LineRun {
  readonly #run: Run;
  readonly #host: string;
  readonly #listener: RunListener;
  #hasOutput = false;
  #isPaused = false;

  constructor(run: Run, host: string, listener: RunListener) {
    this.#run = run;
    this.#host = host;
    this.#listener = listener;
    run.stdin.end();
    this.#follow(run.stdout, 'stdout');
    this.#follow(run.stderr, 'stderr');
  }

  /** Settles when the last line has been told. */
  async finished(): Promise<void> {
    const result = await this.#run.ended;
    if (!this.#hasOutput && result.result !== 'denied') this.#listener.tell(`${this.#host} no output\n`);
    this.#listener.tell(`${wordsForResult(this.#host, result)}\n`);
  }

  cancel(why: string): void {
    this.#run.cancel(why);
  }

  /** What was waiting has been written: read on. */
  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#run.stdout.resume();
    this.#run.stderr.resume();
  }

  #follow(source: ByteSource, stream: 'stdout' | 'stderr'): void {
    const lines = new OutputLines();
    source.onData((chunk) => {
      this.#show(lines.receive(chunk), stream);
      if (this.#listener.isBehind && !this.#isPaused) {
        this.#isPaused = true;
        this.#run.stdout.pause();
        this.#run.stderr.pause();
      }
    });
    source.onEnd(() => this.#show(lines.receiveEnd(), stream));
    source.resume();
  }

  #show(lines: readonly string[], stream: 'stdout' | 'stderr'): void {
    if (lines.length === 0) return;
    this.#hasOutput = true;
    this.#listener.tell(lines.map((line) => formatOutput(this.#host, stream, line)).join(''));
  }
}
