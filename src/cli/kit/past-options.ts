// The options of the commands that write a past out: history, and export, which has no limit.

import { parseOnce } from './arguments.ts';
import { misuse } from './come-in.ts';
import { COMMON, joinNumbers, readOptions, readNumbers, readWith } from './options.ts';

const TEXT = { type: 'string' } as const;
const PLACE = { ...COMMON, with: TEXT, before: TEXT, after: TEXT };

type Bound = 'limit' | 'before' | 'after';

export interface PastOptions {
  readonly host: string | undefined;
  readonly isJson: boolean;
  /** As it was given. */
  readonly with: string | undefined;
  /** The same for the client. */
  readonly partner: { readonly with?: string };
  readonly numbers: Readonly<Partial<Record<Bound, number>>>;
}

/** A number is the status to end with, and why is on stderr. */
export function readPastOptions(command: string, args: string[], names: readonly Bound[]): PastOptions | number {
  const given = { args: joinNumbers(args), allowPositionals: true } as const;
  const values = readOptions(command, () =>
    names.includes('limit')
      ? parseOnce({ ...given, options: { ...PLACE, limit: TEXT } })
      : parseOnce({ ...given, options: PLACE }),
  );
  if (typeof values === 'number') return values;
  const numbers = readNumbers<Bound>(values, names);
  if (typeof numbers === 'string') return misuse(command, numbers);
  const partner = readWith(values.with);
  if (typeof partner === 'string') return misuse(command, partner);
  return { host: values.host, isJson: values.json, with: values.with, partner, numbers };
}
