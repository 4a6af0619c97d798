// What the subcommands share in reading their arguments.

import type { ParseArgsConfig } from 'node:util';
import { reasonOf } from '../../reason.ts';

/** An import would touch all that is in there, a thirtieth of the time that `run` takes. */
const { parseArgs } = process.getBuiltinModule('node:util');

/**
 * `parseArgs`, but an option with one value may be given once: the last of several would count and the others be lost
 * without a word, and with them a machine, a recipient or a limit that was meant.
 */
export function parseOnce<Config extends ParseArgsConfig>(config: Config): ReturnType<typeof parseArgs<Config>> {
  const given = new Set<string>();
  for (const token of parseArgs<ParseArgsConfig>({ ...config, tokens: true }).tokens ?? []) {
    if (token.kind !== 'option') continue;
    const { type, multiple } = config.options?.[token.name] ?? {};
    if (type !== 'string' || multiple === true) continue;
    if (given.has(token.name)) throw new Error(`--${token.name} is given twice, and takes one value`);
    given.add(token.name);
  }
  return parseArgs(config);
}

/** `--on web1 --on web2` is `--on web1,web2`; undefined: there was none. An empty one of several names nothing, and is kept. */
export function joinNames(given: readonly string[] | undefined): string | undefined {
  if (given === undefined || given.length === 0) return undefined;
  return given.some((names) => names.replace(/[\s,]/g, '') === '') ? '' : given.join(',');
}

/** Commas or blanks between them, as people write at `nc` and for `run --on`; what stands between two commas is a name too, if an empty one. */
export function readNames(given: string): string[] {
  return given.split(',').flatMap((part) => part.trim().split(/\s+/));
}

/** Why `parseArgs` took none of it: the first sentence says what is wrong, the rest is Node's advice about `--`. */
export function whyUnusable(error: unknown): string {
  const text = reasonOf(error);
  const missing = /^Option '(?:-\w, )?(--?[\w-]+)(?: <value>)?' argument (missing|is ambiguous)/.exec(text);
  if (missing !== null) {
    const [, option = '', how] = missing;
    return how === 'missing'
      ? `${option} takes a value, and none follows`
      : `${option} takes a value, and what follows begins with "-"; if it is meant: ${option}=VALUE`;
  }
  const unknown = /^Unknown option '[^']*'/.exec(text);
  if (unknown !== null) return `${unknown[0]}; --help lists those that there are`;
  return text.split(/\.(?:\s|$)|\n/)[0] ?? text;
}

/** Where one word is wanted, and there is none or there are more. */
export function oneExpected(what: string, count: number): string {
  return count === 0 ? `${what} is missing` : `one ${what} is expected, not ${count}`;
}
