// A named command with checked parameters: `restart nginx` for `systemctl restart {service}`, where `service` is one of a
// list or fits a pattern. Values go where they are named, and no shell sees them.

import { matchesWord } from './pattern.ts';

export interface Verb {
  readonly name: string;
  readonly words: readonly VerbWord[];
  /** In the order in which they are given: that of their first use. */
  readonly parameters: readonly Parameter[];
}

/** `before{parameter}after`, or a word as it is. */
export type VerbWord =
  | { readonly text: string }
  | { readonly parameter: Parameter; readonly before: string; readonly after: string };

export interface Parameter {
  readonly name: string;
  readonly values: { readonly oneOf: readonly string[] } | { readonly pattern: string };
}

export type VerbRefusal =
  | { readonly refused: 'unknown-verb'; readonly verb: string; readonly known: readonly string[] }
  | {
      readonly refused: 'bad-verb';
      readonly verb: string;
      readonly parameters: readonly Parameter[];
      /** Whose value is not one that it may have; undefined: there are too few or too many. */
      readonly wrong?: { readonly parameter: Parameter; readonly value: string };
    };

/** What is typed before a verb. */
export const VERB_SIGN = '@';

const VERB_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
const PLACE = /\{([A-Za-z][A-Za-z0-9_-]*)\}/g;

export function isVerbName(text: string): boolean {
  return VERB_NAME.test(text);
}

/** The names in braces, in their order. */
export function placesIn(word: string): readonly string[] {
  return Array.from(word.matchAll(PLACE), ([, name = '']) => name);
}

/** `parameter` is asked for the one name in braces that the word has, if it has one. */
export function toVerbWord(text: string, parameter: (name: string) => Parameter): VerbWord {
  const [found] = text.matchAll(PLACE);
  if (found === undefined) return { text };
  const [place, name = ''] = found;
  const { index } = found;
  return { parameter: parameter(name), before: text.slice(0, index), after: text.slice(index + place.length) };
}

export function takes({ values }: Parameter, value: string): boolean {
  return 'oneOf' in values ? values.oneOf.includes(value) : matchesWord(values.pattern, value);
}

/** The argument vector that is meant, or why none is. */
export function spellOut({ name, words, parameters }: Verb, given: readonly string[]): readonly string[] | VerbRefusal {
  const refusal = { refused: 'bad-verb', verb: name, parameters } as const;
  if (given.length !== parameters.length) return refusal;
  const values = new Map<Parameter, string>();
  for (const [at, parameter] of parameters.entries()) {
    const value = given[at] ?? '';
    if (!takes(parameter, value)) return { ...refusal, wrong: { parameter, value } };
    values.set(parameter, value);
  }
  return words.map((word) =>
    'text' in word ? word.text : `${word.before}${values.get(word.parameter) ?? ''}${word.after}`,
  );
}

/** Whether the verb could have been meant: what it comes to may as well be typed out. */
export function isSpelledOut({ words }: Verb, argv: readonly string[]): boolean {
  if (argv.length !== words.length) return false;
  const values = new Map<Parameter, string>();
  return words.every((word, at) => {
    const given = argv[at] ?? '';
    if ('text' in word) return given === word.text;
    const { parameter, before, after } = word;
    if (given.length < before.length + after.length || !given.startsWith(before) || !given.endsWith(after))
      return false;
    const value = given.slice(before.length, given.length - after.length);
    const known = values.get(parameter) ?? value;
    values.set(parameter, value);
    return known === value && takes(parameter, value);
  });
}
