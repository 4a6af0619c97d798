// Where the output of a command on many machines comes out: folded lines with the machines that said them, or JSON lines;
// files are a room of their own. A reader of ours that stalls stalls the machines, and costs one buffer.

import type { OutputName } from '../../client/run.ts';
import { Utf8Pieces, type Piece } from '../../protocol/native/utf8.ts';
import { dataOf } from './outlet.ts';
import { Fold, formatFolded, type FoldedLine } from './fold.ts';
import { jsonLine } from '../kit/json-line.ts';
import { Outputs } from './outputs.ts';
import type { HostResult } from '../../protocol/summary.ts';

type Done = () => void;

export interface View {
  /** `done` is to be called when the bytes are out of the way. */
  output(host: string, given: { readonly stream: OutputName; readonly bytes: Uint8Array }, done: Done): void;
  outputEnd(host: string, stream: OutputName): void;
  ended(host: string, result: HostResult, reason: string | undefined): void;
  /** From now on nobody waits for a reader that has stopped. */
  hurry(): void;
  /** All that was given is out. */
  close(): Promise<void>;
  /** Why it could not all be written. */
  readonly failure: string | undefined;
  /** Something was given to a reader that has not taken it yet. */
  readonly isBehind: boolean;
}

/** Nobody takes this output any more: of one machine, or of all. */
export type Drop = (name: OutputName, host?: string) => void;

interface FoldedOptions {
  readonly isFolding: boolean;
  readonly onPrint: () => void;
  readonly drop: Drop;
}

/** On our own two outputs. */
abstract class Shown {
  protected readonly outputs: Outputs;

  constructor(outputs: Outputs) {
    this.outputs = outputs;
  }

  get failure(): string | undefined {
    return this.outputs.failure;
  }

  get isBehind(): boolean {
    return this.outputs.isBehind;
  }

  hurry(): void {
    this.outputs.hurry();
  }
}

export class FoldedView extends Shown implements View {
  readonly #fold: Fold;
  readonly #onPrint: () => void;
  #timer: NodeJS.Timeout | undefined;

  /** `onPrint` is called before anything is printed: a line of progress is in the way. */
  constructor(hosts: readonly string[], { isFolding, onPrint, drop }: FoldedOptions) {
    super(new Outputs(drop));
    this.#fold = new Fold({ hosts, isFolding });
    this.#onPrint = onPrint;
  }

  output(host: string, { stream, bytes }: { stream: OutputName; bytes: Uint8Array }, done: Done): void {
    this.#print(this.#fold.push(host, { stream, bytes, nowMs: performance.now() }));
    this.outputs.whenTaken(done);
  }

  outputEnd(): void {}

  ended(host: string, { result }: HostResult, reason: string | undefined): void {
    const told = reason === undefined ? undefined : wordsFor(result, reason);
    // As its own word, so that machines with the same reason share a line.
    if (told !== undefined) {
      const bytes = new TextEncoder().encode(`partyline: ${told}\n`);
      this.#print(this.#fold.push(host, { stream: 'stderr', bytes, nowMs: performance.now() }));
    }
    this.#print(this.#fold.end(host, performance.now()));
  }

  close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#print(this.#fold.flush(performance.now()));
    return Promise.resolve();
  }

  #print(lines: readonly FoldedLine[]): void {
    if (lines.length > 0) this.#onPrint();
    // Lines of one output are one write; a change of output is not, so that they keep their order where both are one terminal.
    let text = '';
    for (const [at, line] of lines.entries()) {
      text += formatFolded(line);
      if (lines[at + 1]?.stream === line.stream) continue;
      this.outputs.write(line.stream, text);
      text = '';
    }
    clearTimeout(this.#timer);
    const { dueMs } = this.#fold;
    if (dueMs === undefined) return;
    const waitMs = Math.max(0, Math.ceil(dueMs - performance.now()));
    this.#timer = setTimeout(() => this.#print(this.#fold.tick(performance.now())), waitMs);
  }
}

/** Why, where the summary does not say it all; undefined: it does. */
function wordsFor(result: HostResult['result'], reason: string): string | undefined {
  switch (result) {
    case 'denied':
      return reason;
    case 'lost':
      return `the command is lost: ${reason}`;
    case 'cancelled':
      return `the command was ended: ${reason}`;
    case 'offline':
    case 'not-started':
    case 'exited':
    case 'signalled':
    case 'timeout':
    case 'running':
      return undefined;
  }
}

export class JsonView extends Shown implements View {
  readonly #pieces = new Map<string, Utf8Pieces>();

  constructor(drop: Drop) {
    const dropped = (name: OutputName) => {
      drop(name);
      // Both come out at one.
      if (name === 'stdout') drop('stderr');
    };
    super(new Outputs(dropped));
  }

  output(host: string, { stream, bytes }: { stream: OutputName; bytes: Uint8Array }, done: Done): void {
    this.#tell(host, stream, this.#piecesOf(host, stream).push(bytes));
    this.outputs.whenTaken(done);
  }

  outputEnd(host: string, stream: OutputName): void {
    this.#tell(host, stream, this.#piecesOf(host, stream).end());
    this.#pieces.delete(`${stream} ${host}`);
  }

  ended(host: string, result: HostResult, reason: string | undefined): void {
    const status = 'status' in result ? result.status : null;
    const why = reason === undefined ? {} : { reason };
    this.outputs.write('stdout', jsonLine({ host, result: result.result, status, ...why }));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #piecesOf(host: string, stream: OutputName): Utf8Pieces {
    const key = `${stream} ${host}`;
    const known = this.#pieces.get(key) ?? new Utf8Pieces();
    this.#pieces.set(key, known);
    return known;
  }

  #tell(host: string, stream: OutputName, piece: Piece | undefined): void {
    if (piece === undefined) return;
    this.outputs.write('stdout', jsonLine({ host, stream, ...dataOf(piece) }));
  }
}
