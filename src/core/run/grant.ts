// What may be run, whoever asks and wherever it is: patterns, verbs, and a shell only where that is said.

import type { RunCommand } from '../ports.ts';
import { matchesPattern, type Pattern } from './pattern.ts';
import { isSpelledOut, type Verb } from './verb.ts';

export interface Grant {
  readonly patterns: readonly Pattern[];
  readonly verbs: readonly Verb[];
  /** Any line for `/bin/sh`: as good as everything. */
  readonly hasShell: boolean;
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

export function permits({ patterns, verbs, hasShell }: Grant, command: RunCommand): boolean {
  if (command.kind === 'shell') return hasShell;
  const { argv } = command;
  return patterns.some((pattern) => matchesPattern(pattern, argv)) || verbs.some((verb) => isSpelledOut(verb, argv));
}
