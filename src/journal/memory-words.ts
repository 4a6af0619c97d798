// Searching as the database does it: words are letters and digits, without case and diacritics.

import { withoutMarks, wordsOf } from './words.ts';

interface Token {
  readonly folded: string;
  readonly start: number;
  readonly end: number;
}

/** `undefined`: not all of the words are in the text. */
export function snippetOf(text: string, words: string): string | undefined {
  const tokens = tokensOf(text);
  const wanted = wordsOf(words).map(({ word, isPrefix }) => ({
    phrase: tokensOf(word).map(({ folded }) => folded),
    isPrefix,
  }));
  if (wanted.length === 0) return undefined;
  const found = new Set<Token>();
  for (const { phrase, isPrefix } of wanted) {
    const places = tokens.keys().filter((start) => isAt(tokens, start, { phrase, isPrefix }));
    const all = [...places].flatMap((start) => tokens.slice(start, start + phrase.length));
    if (all.length === 0) return undefined;
    for (const token of all) found.add(token);
  }
  let marked = '';
  let end = 0;
  for (const token of [...found].sort((a, b) => a.start - b.start)) {
    marked += `${withoutMarks(text.slice(end, token.start))}\u0002${text.slice(token.start, token.end)}\u0003`;
    end = token.end;
  }
  return marked + withoutMarks(text.slice(end));
}

function isAt(
  tokens: readonly Token[],
  start: number,
  { phrase, isPrefix }: { phrase: readonly string[]; isPrefix: boolean },
): boolean {
  return phrase.every((wanted, at) => {
    const folded = tokens[start + at]?.folded ?? '';
    return isPrefix && at === phrase.length - 1 ? folded.startsWith(wanted) : folded === wanted;
  });
}

function tokensOf(text: string): Token[] {
  return [...text.matchAll(/[\p{L}\p{N}\p{Co}][\p{L}\p{N}\p{Co}\p{M}]*/gu)].map((match) => ({
    folded: match[0].normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase(),
    start: match.index,
    end: match.index + match[0].length,
  }));
}
