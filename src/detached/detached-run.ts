// One detached run where it runs: its outputs go to the spool as they come, whoever watches; what the record is to have of it is
// counted on the way; and one at a time may give it input.

import type { Run, RunResult } from '../core/ports.ts';
import type { Capture } from '../core/run/capture.ts';
import type { Attachment, AttachWishes, DetachedEnd } from '../core/run/detached.ts';
import { ListenedSink } from '../core/run/listened.ts';
import { SpoolReader } from './spool-reader.ts';
import type { Spool } from './spool.ts';

export type Captures = Readonly<Record<'stdin' | 'stdout' | 'stderr', Capture>>;

export interface DetachedRunOptions {
  readonly run: Run;
  readonly spool: Spool;
  readonly captures: Captures;
  /** Without that its input is empty. */
  readonly takesInput: boolean;
}

/** Why somebody cannot give it input: it takes none; somebody else does; what was given before waits still. */
export type NoInput = 'no-input' | 'input-taken' | 'input-waits';

/** Of the first line on stderr. */
const MAX_FIRST_BYTES = 512;

export class DetachedRun {
  readonly spool: Spool;
  /** Once all of its output is in the spool. */
  readonly ended: Promise<DetachedEnd>;
  readonly takesInput: boolean;
  /** Undefined once it has ended: what is kept of it then is little. */
  #live: { readonly run: Run; readonly captures: Captures } | undefined;
  readonly #result: Promise<RunResult>;
  #giver: Input | undefined;
  #firstBytes = Buffer.alloc(0);
  #isInputClosed: boolean;
  /** What was given last has not all been taken. */
  #isInputFull = false;

  constructor({ run, spool, captures, takesInput }: DetachedRunOptions) {
    this.#live = { run, captures };
    this.spool = spool;
    this.takesInput = takesInput;
    this.#isInputClosed = !takesInput;
    for (const name of ['stdout', 'stderr'] as const) {
      run[name].onData((chunk) => {
        captures[name].add(chunk);
        if (name === 'stderr') this.#hearFirst(chunk);
        if (spool.append(name, chunk)) return;
        run.stdout.pause();
        run.stderr.pause();
      });
      run[name].resume();
    }
    run.stdin.onDrain(() => {
      this.#isInputFull = false;
      this.#giver?.drained();
    });
    run.stdin.onClosed(() => this.#closeInput());
    if (!takesInput) run.stdin.end();
    this.ended = this.#conclude({ run, captures });
    this.#result = this.ended.then(({ result }) => result);
  }

  /** Of what it said on stderr the first line, as far as one reads it. */
  get firstWords(): string {
    return this.#firstBytes.toString().split('\n', 1)[0] ?? '';
  }

  #hearFirst(chunk: Uint8Array): void {
    const room = MAX_FIRST_BYTES - this.#firstBytes.length;
    if (room > 0) this.#firstBytes = Buffer.concat([this.#firstBytes, chunk.subarray(0, room)]);
  }

  /** The spool takes bytes again. */
  goOn(): void {
    this.#live?.run.stdout.resume();
    this.#live?.run.stderr.resume();
  }

  cancel(): void {
    this.#live?.run.cancel();
  }

  /** `onOver` is called once, when nothing is read for it any more. */
  attach({ from, givesInput }: AttachWishes, onOver: () => void): Attachment | NoInput {
    if (givesInput && !this.takesInput) return 'no-input';
    if (givesInput && this.#giver !== undefined) return 'input-taken';
    // Each giver may have given as much as one may: with one after the other it would grow without end.
    if (givesInput && this.#isInputFull && !this.#isInputClosed) return 'input-waits';
    const output = new SpoolReader(this.spool, from, onOver);
    const input = new Input(
      (bytes) => this.#give(bytes),
      () => this.#endInput(),
    );
    if (givesInput) this.#giver = input;
    // Whoever only watches ends nothing either.
    if (this.#isInputClosed || !givesInput) input.close();
    const leave = () => {
      output.cancel();
      input.leave();
      // What it has not ended another one may go on with.
      if (this.#giver === input) this.#giver = undefined;
    };
    return { stdin: input, output, ended: this.#result, leave };
  }

  async #conclude({ run, captures }: { run: Run; captures: Captures }): Promise<DetachedEnd> {
    const result = await run.ended;
    this.#closeInput();
    await this.spool.close();
    this.#live = undefined;
    const { stdin, stdout, stderr } = captures;
    return { result, streams: { stdin: stdin.finish(), stdout: stdout.finish(), stderr: stderr.finish() } };
  }

  #give(bytes: Uint8Array): boolean {
    this.#live?.captures.stdin.add(bytes);
    const hasRoom = this.#live?.run.stdin.write(bytes) ?? true;
    this.#isInputFull = !hasRoom;
    return hasRoom;
  }

  #endInput(): void {
    this.#live?.run.stdin.end();
    this.#closeInput();
  }

  #closeInput(): void {
    this.#isInputClosed = true;
    this.#giver?.close();
  }
}

/** Of one who is attached. */
class Input extends ListenedSink {
  readonly #give: (bytes: Uint8Array) => boolean;
  readonly #end: () => void;
  #hasLeft = false;

  constructor(give: (bytes: Uint8Array) => boolean, end: () => void) {
    super();
    this.#give = give;
    this.#end = end;
  }

  write(chunk: Uint8Array): boolean {
    return this.isClosed || this.#hasLeft || this.#give(chunk);
  }

  end(): void {
    if (!this.isClosed && !this.#hasLeft) this.#end();
  }

  drained(): void {
    this.tellDrain();
  }

  /** Whoever gave it is gone; the command's input is as it was. */
  leave(): void {
    this.#hasLeft = true;
  }
}
