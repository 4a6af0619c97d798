// What was typed at the prompt of `partyline run`, in a file. Each line is added by itself, so that two prompts at once
// keep what both were told.

import { appendFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectory } from '../../config/directory.ts';
import { readOwnFile, wordsFor } from '../../config/files.ts';
import { isKept, MAX_HISTORY_LINES, readHistory } from './prompt-line.ts';

/** In the state directory, for this user's eyes: what was typed may tell more than it should. */
export const HISTORY_FILE = 'run-history';
const OTHERS_READ = 0o077;
/** The file is cut to what is kept once it has so many lines: not at every one. */
const MAX_FILE_LINES = 2 * MAX_HISTORY_LINES;

export class History {
  /** Newest first. */
  readonly lines: string[] = [];
  readonly #path: string;
  readonly #say: (text: string) => void;
  #fileLines = 0;
  #isSilent = false;

  /** What cannot be kept is said once, and kept as long as this program runs. */
  constructor(directory: string, say: (text: string) => void) {
    this.#path = join(directory, HISTORY_FILE);
    this.#say = say;
    try {
      makeDirectory(directory);
    } catch {
      // Writing says what is wrong.
    }
    const text = this.#read();
    if (text !== undefined) this.lines = readHistory(text);
    this.#cutIfLong();
  }

  keep(line: string): void {
    if (!isKept(line, this.lines[0])) return;
    this.lines.unshift(line);
    this.lines.splice(MAX_HISTORY_LINES);
    if (this.#isSilent) return;
    try {
      appendFileSync(this.#path, `${line}\n`, { mode: 0o600 });
      this.#fileLines += 1;
      this.#cutIfLong();
    } catch (error) {
      this.#complain(wordsFor(error));
    }
  }

  #read(): string | undefined {
    const text = readOwnFile(this.#path, { others: OTHERS_READ, verb: 'read' });
    if (typeof text === 'object') this.#complain(text.why);
    if (typeof text !== 'string') return undefined;
    this.#fileLines = text.split('\n').length - 1;
    return text;
  }

  #cutIfLong(): void {
    if (this.#isSilent || this.#fileLines <= MAX_FILE_LINES) return;
    const unfinished = `${this.#path}.unfinished-${process.pid}`;
    try {
      const text = this.#read();
      if (text === undefined) return;
      const kept = readHistory(text).toReversed();
      writeFileSync(unfinished, `${kept.join('\n')}\n`, { mode: 0o600 });
      // Another prompt may have added a line just now: then the next one cuts it.
      if (statSync(this.#path).size === Buffer.byteLength(text)) {
        renameSync(unfinished, this.#path);
        this.#fileLines = kept.length;
      } else rmSync(unfinished, { force: true });
    } catch {
      // It is longer than it needs to be, and says all that it said.
      rmSync(unfinished, { force: true });
    }
  }

  #complain(why: string): void {
    this.#isSilent = true;
    this.#say(`Cannot keep what is typed in ${this.#path}: ${why}; it is kept until you leave`);
  }
}
