// What somebody typed to search for, made into a query of FTS5 in which nothing of it is syntax.

/** Words beyond so many are not looked at: each costs a walk through the index. */
export const MAX_SEARCH_WORDS = 64;

/** A word to look for; `isPrefix`: or any that begins with it. */
export interface Wanted {
  readonly word: string;
  readonly isPrefix: boolean;
}

/** Each word is a string of FTS5. `undefined`: there is nothing to look for. */
export function matchOf(words: string): string | undefined {
  const quoted = wordsOf(words).map(({ word, isPrefix }) => `"${word.replaceAll('"', '""')}"${isPrefix ? '*' : ''}`);
  return quoted.length === 0 ? undefined : quoted.join(' ');
}

/**
 * At blanks; a NUL would end the query for SQLite. A `*` at the end makes it the beginning of a word, as in FTS5: not
 * without being asked, because all messages with any such word are gathered before the first one is found.
 */
export function wordsOf(words: string): Wanted[] {
  return words
    .split(/[\s\0]+/)
    .filter((word) => /[\p{L}\p{N}\p{Co}]/u.test(word))
    .slice(0, MAX_SEARCH_WORDS)
    .map((word) => ({ word, isPrefix: word.endsWith('*') }));
}

/** What stands around the words that were found; a text cannot bring its own into a snippet. */
export const FOUND_OPEN = '\u0002';
export const FOUND_SHUT = '\u0003';

export function withoutMarks(text: string): string {
  return text.replaceAll(FOUND_OPEN, '').replaceAll(FOUND_SHUT, '');
}
