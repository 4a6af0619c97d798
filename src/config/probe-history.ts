// What `partyline echo --watch` has seen of a host, kept in the state directory: a JSON object a line, the last ones. It is
// read when a watch starts, so that a change between two watches is one too.

import { appendFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeDirectory } from './directory.ts';
import { codeOf, wordsFor } from './files.ts';

/** In the state directory. */
const PROBES = 'probes';
/** A week of probes a minute; some 2 MB. */
export const MAX_ENTRIES = 10_000;
/** So many beyond that are let come before the file is written anew with the last ones. */
const SLACK = 500;

export class ProbeHistory {
  readonly path: string;
  #count = 0;
  /** Its last line has no end. */
  #isTorn = false;

  /** Of a host, `HOST:PORT`. Colons are no part of a file's name everywhere. */
  constructor(directory: string, server: string) {
    this.path = join(directory, PROBES, `${encodeURIComponent(server)}.jsonl`);
  }

  /** Oldest first. A line that is no JSON was being written when something ended: it is left out. */
  read(): readonly unknown[] | { readonly why: string } {
    let text: string;
    try {
      text = readFileSync(this.path, 'utf8');
    } catch (error) {
      return codeOf(error) === 'ENOENT' ? [] : { why: wordsFor(error) };
    }
    this.#isTorn = text !== '' && !text.endsWith('\n');
    const lines = text.split('\n').filter((line) => line !== '');
    this.#count = lines.length;
    return lines.slice(-MAX_ENTRIES).flatMap(parse);
  }

  /** What failed, or undefined. */
  add(entry: object): string | undefined {
    try {
      makeDirectory(dirname(this.path));
      appendFileSync(this.path, `${this.#isTorn ? '\n' : ''}${JSON.stringify(entry)}\n`, { mode: 0o600 });
      this.#isTorn = false;
      this.#count++;
      if (this.#count > MAX_ENTRIES + SLACK) this.#shorten();
      return undefined;
    } catch (error) {
      return wordsFor(error);
    }
  }

  #shorten(): void {
    const kept = readFileSync(this.path, 'utf8').split('\n').slice(0, -1).slice(-MAX_ENTRIES);
    const path = `${this.path}.${process.pid}`;
    try {
      writeFileSync(path, kept.map((line) => `${line}\n`).join(''), { mode: 0o600 });
      renameSync(path, this.path);
    } catch (error) {
      rmSync(path, { force: true });
      throw error;
    }
    this.#count = kept.length;
  }
}

function parse(line: string): unknown[] {
  try {
    return [JSON.parse(line)];
  } catch {
    return [];
  }
}
