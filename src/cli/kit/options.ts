// The options that every command of a server's member has, and reading the command line once.

import { quote } from '../../protocol/text.ts';
import { whyUnusable } from './arguments.ts';
import { misuse } from './come-in.ts';

/** Beside those of a command's own. */
export const COMMON = { host: { type: 'string' }, json: { type: 'boolean', default: false } } as const;

export const COMMON_HELP = `  --host HOST        the server: [SCHEME://]HOST[:PORT] (PARTYLINE_HOST, else localhost; port 7270)
  --json             one JSON object a line`;

/** How one comes in, for the help of each command that does. */
export const CREDENTIAL_HELP = `The credential is the token in PARTYLINE_TOKEN_FILE, else the one that partyline login has kept for the server, else the
owner token of a server on this machine, which is proven and never sent.`;

export function hostOf(given: string | undefined): string {
  return given ?? (process.env['PARTYLINE_HOST'] || 'localhost');
}

/** What `read` made of the arguments; a number is the status to end with, and why is on stderr. */
export function readCommandLine<Read>(command: string, read: () => Read): Read | number {
  try {
    return read();
  } catch (error) {
    return misuse(command, whyUnusable(error));
  }
}

/** The options of a command that takes nothing else; a number as above. */
export function readOptions<Values>(
  command: string,
  read: () => { readonly values: Values; readonly positionals: readonly string[] },
): Values | number {
  const given = readCommandLine(command, read);
  if (typeof given === 'number') return given;
  const [stray] = given.positionals;
  if (stray === undefined) return given.values;
  return misuse(command, `nothing but options is expected, not ${JSON.stringify(stray)}`);
}

/** `--limit -1` as `--limit=-1`: no option is a number, and the number is what is wrong. */
export function joinNumbers(args: readonly string[]): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    const last = joined.at(-1) ?? '';
    if (/^-\d+$/.test(arg) && /^--[a-z]+$/.test(last)) joined[joined.length - 1] = `${last}=${arg}`;
    else joined.push(arg);
  }
  return joined;
}

const COUNT = /^[1-9][0-9]{0,14}$/;
const ID = /^(?:0|[1-9][0-9]{0,14})$/;

/** What partyline runs lists a run by; undefined: it is no such number. */
export function readRunId(text: string | undefined): number | undefined {
  return text !== undefined && COUNT.test(text) ? Number(text) : undefined;
}

/** Whose past; a text says that it is nobody's. */
export function readWith(given: string | undefined): { readonly with?: string } | string {
  if (given?.trim() === '') return `--with takes a name, a #group or all, not ${quote(given)}`;
  return given === undefined ? {} : { with: given };
}

/** The numbers among the options; a text says which one is none. */
export function readNumbers<Name extends string>(
  given: Readonly<Partial<Record<Name, string | undefined>>>,
  names: readonly Name[],
  { id = 'the id of a message' }: { readonly id?: string } = {},
): Partial<Record<Name, number>> | string {
  const read: Partial<Record<Name, number>> = {};
  for (const name of names) {
    const text = given[name];
    if (text === undefined) continue;
    const isCount = name === 'limit';
    if (!(isCount ? COUNT : ID).test(text)) {
      return `--${name} takes ${isCount ? 'a number from 1 on' : `${id}, or 0`}, not ${quote(text)}`;
    }
    read[name] = Number(text);
  }
  return read;
}
