// Where the output of a command that runs elsewhere comes out: our own two outputs, as bytes or as JSON lines. A reader
// that is gone ends the command's output, not us.

import type { OutputName, RunEnd } from '../../client/run.ts';
import { Utf8Pieces, type Piece } from '../../protocol/native/utf8.ts';
import { jsonLine } from '../kit/json-line.ts';

type Done = () => void;

export interface OutletOptions {
  /** As it is called in JSON. */
  readonly host: string;
  readonly isJson: boolean;
  /** As it is called on the command line. */
  readonly command?: string;
  /** How long what runs may take, where that is known here. */
  readonly timeoutMs?: number | undefined;
}

export class Outlet {
  readonly #host: string;
  readonly #isJson: boolean;
  readonly #command: string;
  readonly #timeoutMs: number | undefined;
  readonly #pieces = { stdout: new Utf8Pieces(), stderr: new Utf8Pieces() };
  readonly #streams = { stdout: process.stdout, stderr: process.stderr };
  #waitingBytes = 0;
  readonly #waiting = new Set<Done>();
  #isHurried = false;
  #failure: string | undefined;

  constructor({ host, isJson, command = 'run', timeoutMs }: OutletOptions) {
    this.#command = command;
    this.#timeoutMs = timeoutMs;
    this.#isJson = isJson;
    this.#host = host;
  }

  onBroken(drop: (name: OutputName) => void): void {
    const names: OutputName[] = ['stdout', 'stderr'];
    for (const name of names) {
      // Whoever listened before knew nothing of a command that has to be told.
      this.#streams[name].removeAllListeners('error').on('error', (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EPIPE') this.#failure ??= `Cannot write ${name}: ${error.code ?? error.message}`;
        drop(name);
        if (this.#isJson && name === 'stdout') drop('stderr');
      });
    }
  }

  /** `release`: nobody reads the bytes any more, whoever is in a hurry. It may never be called. */
  write(name: OutputName, bytes: Uint8Array, done: Done, release?: Done): void {
    // Whoever interrupted us no longer reads: what it does not take now, it does not get.
    if (this.#isHurried && this.isBehind) return done();
    if (this.#isJson) this.#tellPiece(name, this.#pieces[name].push(bytes), done);
    else this.#put(name, bytes, done, release);
  }

  end(name: OutputName): void {
    if (this.#isJson) this.#tellPiece(name, this.#pieces[name].end(), () => {});
  }

  /** From now on nothing waits for a reader that has stopped, so that the end of the command can come through. */
  hurry(): void {
    this.#isHurried = true;
    for (const done of this.#waiting) done();
    this.#waiting.clear();
  }

  /** Says what is to be said of how it ended. */
  conclude(ended: RunEnd): void {
    switch (ended.end) {
      case 'refused':
        return this.fail(ended.code === 'offline' ? 'offline' : 'denied', ended.message);
      case 'lost':
        return this.fail('lost', `The command is lost: ${ended.reason}`);
      case 'ended': {
        const { result, status, reason } = ended;
        this.#tell({ result, status });
        // Its status alone could be the command's own.
        if (result === 'timeout') say(`ended ${this.#within}(--timeout)`, this.#command);
        if (result === 'cancelled' && reason !== undefined) say(`The command was ended: ${reason}`, this.#command);
      }
    }
  }

  get #within(): string {
    return this.#timeoutMs === undefined ? '' : `after ${this.#timeoutMs / 1_000} s `;
  }

  /** It never started, or nobody knows how it ended. */
  fail(result: 'denied' | 'offline' | 'lost', why: string): void {
    this.#tell({ result, status: null, reason: why });
    say(why, this.#command);
  }

  get isJson(): boolean {
    return this.#isJson;
  }

  /** Why our own output could not be written; a reader that has seen enough is no failure. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Something was given to an output that has not taken it yet. */
  get isBehind(): boolean {
    return this.#waitingBytes > 0;
  }

  async flushed(): Promise<void> {
    const left = Object.values(this.#streams).map(
      (stream) =>
        new Promise<void>((resolve) => {
          if (stream.writableLength === 0 || stream.destroyed) resolve();
          else stream.write('', () => resolve());
        }),
    );
    await Promise.all(left);
  }

  #tellPiece(name: OutputName, piece: Piece | undefined, done: Done): void {
    if (piece === undefined) return done();
    this.#tell({ stream: name, ...dataOf(piece) }, done);
  }

  #tell(fields: object, done: Done = () => {}): void {
    if (!this.#isJson) return done();
    this.#put('stdout', jsonLine({ host: this.#host, ...fields }), done);
  }

  #put(name: OutputName, bytes: Uint8Array | string, done: Done, release?: Done): void {
    this.#waitingBytes += bytes.length;
    const once = () => done();
    this.#waiting.add(once);
    const stream = this.#streams[name];
    // What one turn of the event loop brings is one write: by TLS it comes in records of 16 KiB.
    if (stream.writableCorked === 0) {
      stream.cork();
      setImmediate(() => stream.uncork());
    }
    stream.write(bytes, () => {
      this.#waitingBytes -= bytes.length;
      release?.();
      if (this.#waiting.delete(once)) once();
    });
  }
}

/** As `--json` has a piece of an output. */
export function dataOf(piece: Piece): object {
  return 'text' in piece ? { data: piece.text } : { dataBase64: Buffer.from(piece.bytes).toString('base64') };
}

/** One line on stderr. */
export function say(text: string, command = 'run'): void {
  process.stderr.write(`partyline ${command}: ${text}\n`);
}
