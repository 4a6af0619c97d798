// What a machine lets its server run: everything, as it has joined for that, or what a file on it lists, which no server can
// widen.

import type { RunCommand } from '../core/ports.ts';
import type { EnvironmentPattern } from '../core/run/environment.ts';
import { permits, readingsOf, type Grant, type Manner } from '../core/run/grant.ts';
import { parseHostPolicy } from '../core/run/policy-file.ts';

/** As on a command line. */
export { parseEnvironmentPattern } from '../core/run/environment.ts';

export interface HostPolicy {
  /** `everything`: there is no file. */
  readonly commands: 'everything' | Grant;
  /** Of the environment, beside the usual. */
  readonly env: readonly EnvironmentPattern[];
}

/** The policy as it is now: a reload replaces it. */
export interface PolicyInForce {
  readonly current: HostPolicy;
}

export const EVERYTHING: HostPolicy = { commands: 'everything', env: [] };

export function readHostPolicy(text: string): HostPolicy | { readonly why: string } {
  const policy = parseHostPolicy(text);
  if (!('refused' in policy)) return { commands: policy, env: policy.env };
  const { line, why } = policy;
  return { why: `line ${line}: ${why.kind === 'words' ? why.words : 'it names somebody'}` };
}

/** As it is to be run; undefined: it is not allowed. */
export function allowed({ commands }: HostPolicy, command: RunCommand, manner: Manner): RunCommand | undefined {
  if (commands === 'everything') return command;
  return readingsOf(command).find((reading) => permits(commands, reading, manner));
}

/** How much it allows: `3 patterns, 1 verb`. */
export function wordsForPolicy({ commands }: HostPolicy): string {
  if (commands === 'everything') return 'everything';
  const { patterns, verbs, hasShell } = commands;
  if (hasShell) return 'any line for a shell';
  return `${counted(patterns.length, 'pattern')}, ${counted(verbs.length, 'verb')}`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
