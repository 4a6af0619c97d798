// What a machine keeps of a server's records of runs: the latest hash that their chain ended with, as it was told with each
// command. A server whose last records were taken away cannot take this away as well.

import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { codeOf, wordsFor } from '../runner/errors.ts';

/** In the state directory: a line for each server, `HASH SERVER TIME`, the latest last. */
export const RECORDS_HEAD_FILE = 'records-head';

export class RecordsHead {
  readonly #path: string;
  readonly #server: string;
  readonly #now: () => number;
  #head: string | undefined;

  constructor(path: string, { server, now }: { server: string; now: () => number }) {
    this.#path = path;
    this.#server = server;
    this.#now = now;
  }

  /** Undefined: it is kept. Otherwise why not, in words, and what was kept before is as it was; the next one is tried again. */
  keep(head: string): string | undefined {
    if (head === this.#head) return undefined;
    let lines: string[];
    try {
      lines = linesOf(this.#path);
    } catch (error) {
      // Heads of other servers may be in there, and nobody has them again.
      return `Cannot read ${this.#path}: ${wordsFor(error)}; no head is kept until it can be read or is moved away`;
    }
    const others = lines.filter((line) => line.split(' ')[1] !== this.#server);
    const all = [...others, `${head} ${this.#server} ${new Date(this.#now()).toISOString()}`];
    const unfinished = `${this.#path}.unfinished-${process.pid}`;
    try {
      writeFileSync(unfinished, all.map((line) => `${line}\n`).join(''), { mode: 0o600 });
      renameSync(unfinished, this.#path);
    } catch (error) {
      removeQuietly(unfinished);
      return `Cannot write ${this.#path}: ${wordsFor(error)}; it has the head that was kept before`;
    }
    this.#head = head;
    return undefined;
  }
}

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // Where it cannot be written it often cannot be removed either.
  }
}
