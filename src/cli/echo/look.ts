// What the place where the output goes can show.

import type { EchoIo } from './io.ts';

export interface Look {
  /** Lines can be written over. */
  readonly isLive: boolean;
  /** Of the terminal; undefined where it is none, and lines may be as long as they like. */
  readonly columns: number | undefined;
  readonly hasColor: boolean;
  readonly isUtf8: boolean;
}

/** Where the terminal does not say. */
const USUAL_COLUMNS = 80;

export function lookOf({ stdout, environment }: Pick<EchoIo, 'stdout' | 'environment'>): Look {
  const isTerminal = stdout.isTTY === true;
  const isDumb = environment['TERM'] === 'dumb';
  // setlocale(3): the first of these that is not empty decides how characters are written.
  const locale = [environment['LC_ALL'], environment['LC_CTYPE'], environment['LANG']].find((value) => value) ?? '';
  return {
    isLive: isTerminal && !isDumb,
    columns: isTerminal ? stdout.columns || USUAL_COLUMNS : undefined,
    // https://no-color.org
    hasColor: isTerminal && !isDumb && !environment['NO_COLOR'],
    isUtf8: /utf-?8/i.test(locale),
  };
}

/** The last column of a terminal stays free: some go to the next line with it. */
export function usableColumns({ columns = 0 }: Look): number {
  return Math.max(columns - 1, 1);
}

const BOLD = '\u001b[1m';
const PLAIN = '\u001b[0m';

export function bold(text: string, { hasColor }: Look): string {
  return hasColor ? `${BOLD}${text}${PLAIN}` : text;
}

/** Cuts at spaces to lines of so many columns; a longer word stays whole, since an address is copied from there. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && longer.length > columns) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}
