// Where the output of a command on many machines comes out: folded lines with the machines that said them, JSON lines, or
// a file for each machine and stream. A reader of ours that stalls stalls the machines, and costs one buffer.

import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import type { OutputName } from '../client/run.ts';
import { Utf8Pieces, type Piece } from '../protocol/native/utf8.ts';
import { Fold, formatFolded, type FoldedLine } from './fold.ts';
import { jsonLine } from './json-line.ts';
import type { HostResult } from './summary.ts';

type Done = () => void;

export interface View {
  /** `done` is to be called when the bytes are out of the way. */
  output(host: string, given: { readonly stream: OutputName; readonly bytes: Uint8Array }, done: Done): void;
  outputEnd(host: string, stream: OutputName): void;
  ended(host: string, result: HostResult, reason: string | undefined): void;
  /** All that was given is out. */
  close(): Promise<void>;
}

/** Writes to our own outputs; what comes faster than it is read waits with its sender. */
class Outputs {
  readonly #streams = { stdout: process.stdout, stderr: process.stderr };
  readonly #waiting: Done[] = [];

  constructor() {
    for (const stream of Object.values(this.#streams)) {
      stream.removeAllListeners('error').on('error', () => this.#release());
      stream.on('drain', () => this.#release());
    }
  }

  write(stream: OutputName, text: string): void {
    if (text !== '') this.#streams[stream].write(text);
  }

  whenTaken(done: Done): void {
    if (this.#isBehind) this.#waiting.push(done);
    else done();
  }

  get #isBehind(): boolean {
    return Object.values(this.#streams).some((stream) => stream.writableNeedDrain && !stream.destroyed);
  }

  #release(): void {
    if (!this.#isBehind) for (const done of this.#waiting.splice(0)) done();
  }
}

export class FoldedView implements View {
  readonly #outputs = new Outputs();
  readonly #fold: Fold;
  readonly #onPrint: () => void;
  #timer: NodeJS.Timeout | undefined;

  /** `onPrint` is called before anything is printed: a line of progress is in the way. */
  constructor({ hosts, isFolding, onPrint }: { hosts: readonly string[]; isFolding: boolean; onPrint: () => void }) {
    this.#fold = new Fold({ hosts, isFolding });
    this.#onPrint = onPrint;
  }

  output(host: string, { stream, bytes }: { stream: OutputName; bytes: Uint8Array }, done: Done): void {
    this.#print(this.#fold.push(host, { stream, bytes, nowMs: performance.now() }));
    this.#outputs.whenTaken(done);
  }

  outputEnd(): void {}

  ended(host: string): void {
    this.#print(this.#fold.end(host, performance.now()));
  }

  close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#print(this.#fold.flush(performance.now()));
    return Promise.resolve();
  }

  #print(lines: readonly FoldedLine[]): void {
    if (lines.length > 0) this.#onPrint();
    for (const line of lines) this.#outputs.write(line.stream, formatFolded(line));
    clearTimeout(this.#timer);
    const { dueMs } = this.#fold;
    if (dueMs === undefined) return;
    const waitMs = Math.max(0, Math.ceil(dueMs - performance.now()));
    this.#timer = setTimeout(() => this.#print(this.#fold.tick(performance.now())), waitMs);
  }
}

export class JsonView implements View {
  readonly #outputs = new Outputs();
  readonly #pieces = new Map<string, Utf8Pieces>();

  output(host: string, { stream, bytes }: { stream: OutputName; bytes: Uint8Array }, done: Done): void {
    this.#tell(host, stream, this.#piecesOf(host, stream).push(bytes));
    this.#outputs.whenTaken(done);
  }

  outputEnd(host: string, stream: OutputName): void {
    this.#tell(host, stream, this.#piecesOf(host, stream).end());
    this.#pieces.delete(`${stream} ${host}`);
  }

  ended(host: string, result: HostResult, reason: string | undefined): void {
    const status = 'status' in result ? result.status : null;
    const why = reason === undefined ? {} : { reason };
    this.#outputs.write('stdout', jsonLine({ host, result: result.result, status, ...why }));
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
    const said = 'text' in piece ? { data: piece.text } : { dataBase64: Buffer.from(piece.bytes).toString('base64') };
    this.#outputs.write('stdout', jsonLine({ host, stream, ...said }));
  }
}

/** `DIR/web1.stdout` and `DIR/web1.stderr`, byte for byte; only what is not empty. */
export class FileView implements View {
  readonly #directory: string;
  readonly #files = new Map<string, WriteStream>();
  readonly #failed = new Set<string>();
  readonly #onFailed: (reason: string) => void;

  /** Throws what mkdir(2) says. */
  constructor(directory: string, onFailed: (reason: string) => void) {
    mkdirSync(directory, { recursive: true });
    this.#directory = directory;
    this.#onFailed = onFailed;
  }

  output(host: string, { stream, bytes }: { stream: OutputName; bytes: Uint8Array }, done: Done): void {
    const file = this.#file(`${host}.${stream}`);
    if (file.destroyed) done();
    else file.write(bytes, () => done());
  }

  outputEnd(host: string, stream: OutputName): void {
    this.#files.get(`${host}.${stream}`)?.end();
  }

  ended(): void {}

  async close(): Promise<void> {
    const open = [...this.#files.values()].filter((file) => !file.closed);
    await Promise.all(open.map((file) => new Promise<void>((resolve) => file.once('close', resolve).end())));
  }

  #file(name: string): WriteStream {
    const known = this.#files.get(name);
    if (known !== undefined) return known;
    // A name has no slash and begins with no dot; one that is a link is not followed out of the directory.
    const path = join(this.#directory, name);
    const file = createWriteStream(path);
    file.on('error', (error: NodeJS.ErrnoException) => {
      if (!this.#failed.has(name)) this.#onFailed(`Cannot write ${path}: ${error.code ?? error.message}`);
      this.#failed.add(name);
    });
    this.#files.set(name, file);
    return file;
  }
}
