// What a machine lets its server run: everything, as it has joined for that, or what a file on it lists, which no server can
// widen.

import type { RunCommand } from '../core/ports.ts';
import { permits, readingsOf, type Grant } from '../core/run/grant.ts';
import { parseHostPolicy } from '../core/run/policy-file.ts';

/** `everything`: there is no file. */
export type HostPolicy = 'everything' | Grant;

export function readHostPolicy(text: string): Grant | { readonly why: string } {
  const policy = parseHostPolicy(text);
  if (!('refused' in policy)) return policy;
  const { line, why } = policy;
  return { why: `line ${line}: ${why.kind === 'words' ? why.words : 'it names somebody'}` };
}

/** As it is to be run; undefined: it is not allowed. */
export function allowed(policy: HostPolicy, command: RunCommand): RunCommand | undefined {
  if (policy === 'everything') return command;
  return readingsOf(command).find((reading) => permits(policy, reading));
}
