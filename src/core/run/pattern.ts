// Which argument vectors a pattern stands for: `systemctl status *`, held against a command word by word. Never against a
// shell line, which says in too many ways what it is about to do.

import { matchesGlob } from './glob.ts';

/** Words of a pattern: no command that is worth a rule has more. */
export const MAX_PATTERN_WORDS = 64;

export interface Pattern {
  readonly words: readonly string[];
  /** It ends in `**`: whatever follows is allowed, also nothing. */
  readonly hasRest: boolean;
}

export type PatternFault = 'empty' | 'too-long' | 'rest-inside' | 'class';

const REST = '**';

/** A text is cut at its blanks; a list has words in which there may be blanks. */
export function parsePattern(given: string | readonly string[]): Pattern | { readonly refused: PatternFault } {
  const words = typeof given === 'string' ? given.split(/\s+/).filter((word) => word !== '') : given;
  if (words.length > MAX_PATTERN_WORDS) return { refused: 'too-long' };
  const hasRest = words.at(-1) === REST;
  const fixed = hasRest ? words.slice(0, -1) : words;
  // `**` alone would be any program at all: whoever wants that may say `* **`.
  if (fixed.length === 0) return { refused: 'empty' };
  if (fixed.includes(REST)) return { refused: 'rest-inside' };
  return fixed.some((word) => hasClass(word)) ? { refused: 'class' } : { words: fixed, hasRest };
}

/**
 * Whether a shell would take it for one of some characters (`[a-z]`), which nothing here does: a rule that fits nothing, and
 * says nothing. An IPv6 address in a URL is none, nor is `[` by itself, the program.
 */
export function hasClass(word: string): boolean {
  return word.matchAll(BRACKETS).some(([, inside = '']) => !ADDRESS.test(inside));
}

const BRACKETS = /\[([^\]]+)\]/g;
/** At least two colons, and an IPv4 address or a zone at its end. */
const ADDRESS = /^(?=[^:]*:[^:]*:)[\dA-Fa-f:.*?]+(?:%[\w.*?-]+)?$/;

export function matchesPattern({ words, hasRest }: Pattern, argv: readonly string[]): boolean {
  if (hasRest ? argv.length < words.length : argv.length !== words.length) return false;
  return words.every((word, at) => matchesWord(word, argv[at] ?? ''));
}

/**
 * `*` and `?` as in targets, with two things that they do not stand for, since whoever writes `cat /var/log/*` means
 * neither: an option where the pattern has none, and a way up out of a directory.
 */
export function matchesWord(pattern: string, word: string): boolean {
  if (word.startsWith('-') && !pattern.startsWith('-')) return false;
  if (leadsUp(word) && !leadsUp(pattern)) return false;
  return matchesGlob(pattern, word);
}

function leadsUp(path: string): boolean {
  return path.split('/').includes('..');
}
