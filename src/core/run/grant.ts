// What may be run, whoever asks and wherever it is: patterns, verbs, and a shell only where that is said.

import type { RunCommand } from '../ports.ts';
import { matchesPattern, matchesWord, type Pattern } from './pattern.ts';
import { isSpelledOut, type Verb } from './verb.ts';

export interface Grant {
  readonly patterns: readonly Pattern[];
  readonly verbs: readonly Verb[];
  /** Any line for `/bin/sh`: as good as everything. */
  readonly hasShell: boolean;
  /** Whoever looks at it may type: many a program starts a shell for that (`less`, `systemctl`), or an editor. */
  readonly hasTerminal: boolean;
  /** Patterns for where a command may start instead of where it starts by itself. */
  readonly directories: readonly string[];
}

/** How a command is to run: things that can make a harmless one do something else. */
export interface Manner {
  /** Where it starts: `make` does what a file there says. */
  readonly cwd?: string | undefined;
  readonly hasTerminal?: boolean | undefined;
}

/** Characters that mean nothing to any shell, wherever they stand in a word. */
const PLAIN_LINE = /^[\w@%+:,./-]+(?: +[\w@%+:,./-]+)*$/;

/**
 * As it was given and, if it is a shell line of nothing but plain words, as an argument vector: `uptime` is typed as a
 * line and needs no shell. What is allowed so is run so.
 */
export function readingsOf(command: RunCommand): readonly RunCommand[] {
  if (command.kind === 'argv' || !PLAIN_LINE.test(command.line)) return [command];
  return [command, { kind: 'argv', argv: command.line.split(/ +/) }];
}

export function permits(grant: Grant, command: RunCommand, manner: Manner = {}): boolean {
  const { patterns, verbs, hasShell } = grant;
  if (!permitsManner(grant, manner)) return false;
  if (command.kind === 'shell') return hasShell;
  const { argv } = command;
  return patterns.some((pattern) => matchesPattern(pattern, argv)) || verbs.some((verb) => isSpelledOut(verb, argv));
}

/** A shell may go anywhere. Anything else only to a place that is named from the root, so that it is known which one it is. */
function permitsManner(
  { hasShell, hasTerminal, directories }: Grant,
  { cwd, hasTerminal: wantsTerminal }: Manner,
): boolean {
  if (wantsTerminal === true && !hasTerminal && !hasShell) return false;
  return cwd === undefined || hasShell || (cwd.startsWith('/') && directories.some((one) => matchesWord(one, cwd)));
}
