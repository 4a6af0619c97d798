// What a machine keeps of a server's records of runs: the latest hash that their chain ended with, as it was told with each
// command. A server whose last records were taken away cannot take this away as well.

import { readFileSync, renameSync, writeFileSync } from 'node:fs';

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

  /** Throws what the disk throws; the next one is tried again. */
  keep(head: string): void {
    if (head === this.#head) return;
    const others = linesOf(this.#path).filter((line) => line.split(' ')[1] !== this.#server);
    const lines = [...others, `${head} ${this.#server} ${new Date(this.#now()).toISOString()}`];
    const unfinished = `${this.#path}.unfinished-${process.pid}`;
    writeFileSync(unfinished, lines.map((line) => `${line}\n`).join(''), { mode: 0o600 });
    renameSync(unfinished, this.#path);
    this.#head = head;
  }
}

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  } catch {
    return [];
  }
}
