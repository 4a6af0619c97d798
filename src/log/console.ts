// The server's voice on a terminal or in a file: a line for each thing told, or a JSON object. A reader that does not
// read (a pipe nobody empties) costs lines, never the server.

import type { ConsoleEvent, Fields, Log } from './log.ts';

/** Waiting for a reader of stdout or stderr; beyond it lines are left out and counted. */
const MAX_WAITING_BYTES = 1_048_576;

interface Output {
  readonly writableLength: number;
  write(text: string): unknown;
  on(event: 'error', listener: () => void): unknown;
}

export interface ConsoleOptions {
  readonly json?: boolean;
  /** Also the two lines in the life of each connection, on stderr. */
  readonly verbose?: boolean;
  readonly stdout?: Output;
  readonly stderr?: Output;
}

export class ConsoleLog implements Log {
  readonly #json: boolean;
  readonly #verbose: boolean;
  readonly #stdout: Output;
  readonly #stderr: Output;
  #leftOut = 0;

  constructor({
    json = false,
    verbose = false,
    stdout = process.stdout,
    stderr = process.stderr,
  }: ConsoleOptions = {}) {
    this.#json = json;
    this.#verbose = verbose;
    this.#stdout = stdout;
    this.#stderr = stderr;
    // Whoever read us has gone (EPIPE): the server goes on without.
    stdout.on('error', () => {});
    stderr.on('error', () => {});
  }

  tell({ text, ...fields }: ConsoleEvent): void {
    if (this.#stdout.writableLength > MAX_WAITING_BYTES) {
      this.#leftOut++;
      return;
    }
    if (this.#leftOut > 0) {
      const lines = this.#leftOut;
      this.#leftOut = 0;
      this.tell({ event: 'left-out', text: `${lines} lines were left out: nobody read them`, lines });
    }
    this.#stdout.write(this.#json ? `${JSON.stringify(fields)}\n` : `${text}\n`);
  }

  info(event: string, fields: Fields = {}): void {
    if (this.#verbose) this.#log('info', event, fields);
  }

  warn(event: string, fields: Fields = {}): void {
    this.#log('warn', event, fields);
  }

  #log(level: 'info' | 'warn', event: string, fields: Fields): void {
    if (this.#stderr.writableLength > MAX_WAITING_BYTES) return;
    if (this.#json) {
      this.#stderr.write(`${JSON.stringify({ level, event, ...fields })}\n`);
      return;
    }
    const words = Object.entries(fields).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`);
    this.#stderr.write(`${level} ${event}${words.join('')}\n`);
  }
}
