// The server's voice on a terminal or in a file: a line for each thing told, or a JSON object. A reader that does not
// read (a pipe nobody empties) costs lines, never the server.

import type { ConsoleEvent, Fields, Log } from './log.ts';

/** Waiting for a reader of stdout or stderr; beyond it lines are left out and counted. */
const MAX_WAITING_BYTES = 1_048_576;
/** Of one event: whoever can bring about a warning as often as they like must not fill the disk that the log is kept on. */
const MAX_WARNINGS_A_SECOND = 10;

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
  /** Milliseconds that never run backwards. */
  readonly clock?: () => number;
}

/** Warnings of one event. */
interface Pace {
  sinceMs: number;
  said: number;
  leftOut: number;
}

export class ConsoleLog implements Log {
  readonly #json: boolean;
  readonly #verbose: boolean;
  readonly #stdout: Output;
  readonly #stderr: Output;
  readonly #clock: () => number;
  /** By event, of which there are few. */
  readonly #paces = new Map<string, Pace>();
  #leftOut = 0;

  constructor({
    json = false,
    verbose = false,
    stdout = process.stdout,
    stderr = process.stderr,
    clock = () => performance.now(),
  }: ConsoleOptions = {}) {
    this.#json = json;
    this.#verbose = verbose;
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.#clock = clock;
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
    const nowMs = this.#clock();
    const pace = this.#paces.get(event) ?? { sinceMs: nowMs, said: 0, leftOut: 0 };
    this.#paces.set(event, pace);
    if (nowMs - pace.sinceMs >= 1_000) Object.assign(pace, { sinceMs: nowMs, said: 0 });
    if (pace.said >= MAX_WARNINGS_A_SECOND) {
      pace.leftOut += 1;
      return;
    }
    pace.said += 1;
    const { leftOut } = pace;
    pace.leftOut = 0;
    this.#log('warn', event, leftOut === 0 ? fields : { ...fields, leftOut });
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
