// What the commands share that work on a server's journal without the server.

import { oneExpected, parseOnce, whyUnusable } from './arguments.ts';
import { FAILURE_STATUS, USAGE_STATUS } from './status.ts';
import { reasonOf } from '../../reason.ts';

/** What a server calls its journal, in its directory. */
export const JOURNAL_FILE = 'journal.db';

interface Given {
  /** The directory of the server. */
  readonly data: string | undefined;
  readonly json: boolean;
  /** Of a damaged journal, what is intact. */
  readonly isSalvaging: boolean;
}

/** `[--data DIR | FILE] [--head HASH] [--json]`; a number is the status to end with, and why is on stderr. */
export function readVerifyArguments(args: string[]): (Read & { readonly file: string | undefined }) | number {
  const command = 'verify';
  const read = readArguments(command, args, { head: { type: 'string' } });
  if (typeof read === 'number') return read;
  const [file, ...more] = read.positionals;
  if (more.length > 0) return misuse(command, `one FILE at most is expected, not ${read.positionals.length}`);
  if (file !== undefined && read.data !== undefined) return misuse(command, '--data DIR and FILE exclude each other');
  return { ...read, file };
}

/** `[--data DIR] [--json] FILE`, the copy of a journal. */
export function readCopyArguments(
  command: string,
  args: string[],
  takes: Pick<More, 'salvage'> = {},
): (Given & { readonly file: string }) | number {
  const read = readArguments(command, args, takes);
  if (typeof read === 'number') return read;
  const [file, ...more] = read.positionals;
  if (file !== undefined && more.length === 0) return { ...read, file };
  return misuse(command, oneExpected('FILE', read.positionals.length));
}

interface Read extends Given {
  readonly head: string | undefined;
  readonly positionals: string[];
}

interface More {
  readonly head?: { readonly type: 'string' };
  readonly salvage?: { readonly type: 'boolean' };
}

function readArguments(command: string, args: string[], more: More = {}): Read | number {
  try {
    const options = { data: { type: 'string' }, json: { type: 'boolean', default: false }, ...more } as const;
    const { values, positionals } = parseOnce({ args, allowPositionals: true, options });
    const { data, json, head, salvage } = values;
    const given = { head: typeof head === 'string' ? head : undefined, isSalvaging: salvage === true };
    return { data, json, ...given, positionals };
  } catch (error) {
    return misuse(command, whyUnusable(error));
  }
}

/** It was called in a way that it is not to be called. */
export function misuse(command: string, reason: string): number {
  process.stderr.write(`partyline ${command}: ${reason}\n`);
  return USAGE_STATUS;
}

export function fail(command: string, error: unknown): number {
  process.stderr.write(`partyline ${command}: ${reasonOf(error)}\n`);
  return FAILURE_STATUS;
}
