// What is typed at the prompt of `partyline run`: a command, or a word for the prompt itself; what Tab makes of it, and
// which lines are kept. No I/O.

import { isOneName } from './arguments.ts';

export type PromptLine =
  | { readonly kind: 'nothing' | 'leave' | 'help' }
  /** Undefined: the server itself. */
  | { readonly kind: 'on'; readonly targets: string | undefined }
  /** What follows `--` of `partyline run`, and what stands before it. */
  | { readonly kind: 'run'; readonly options: readonly string[]; readonly words: readonly string[] };

export const PROMPT_HELP = `Each line is a command for /bin/sh there; @NAME VALUE... is a verb of the policy.

  on TARGETS    where: web1, web[1-9], #group, env=prod, all, !web3; Tab completes
  on            on the server itself
  -t COMMAND    in a terminal there; -t alone is a shell
  help, exit    this list; leave (Ctrl-D does, too)

Ctrl-C ends the command, not the prompt. A line that begins with a space is not kept.
`;

/** Lines that are kept, and UTF-16 units of one that is. */
export const MAX_HISTORY_LINES = 1_000;
const MAX_KEPT_LENGTH = 4_096;

export function parsePromptLine(line: string): PromptLine {
  const text = line.trim();
  if (text === '' || text.startsWith('#')) return { kind: 'nothing' };
  if (text === 'exit' || text === 'quit') return { kind: 'leave' };
  if (text === 'help' || text === '?') return { kind: 'help' };
  const [, targets] = /^on(?:\s+(.*))?$/s.exec(text) ?? [];
  if (text === 'on' || targets !== undefined) return { kind: 'on', targets };
  const [, inTerminal] = /^-t(?:\s+(.*))?$/s.exec(text) ?? [];
  if (text === '-t') return { kind: 'run', options: ['-t'], words: [] };
  const command = inTerminal ?? text;
  // Its values are words: no shell looks at them.
  const words = command.startsWith('@') ? command.split(/\s+/) : [command];
  return { kind: 'run', options: inTerminal === undefined ? [] : ['-t'], words };
}

/** What may be secret is not to be kept: whoever begins with a space says so, as to shells. */
export function isKept(line: string, last: string | undefined): boolean {
  return line.trim() !== '' && !line.startsWith(' ') && line.length <= MAX_KEPT_LENGTH && line !== last;
}

/** The text of the file, oldest first, as a list: newest first. */
export function readHistory(text: string): string[] {
  const lines = text.split('\n').filter((line) => isKept(line, undefined));
  return lines.slice(-MAX_HISTORY_LINES).toReversed();
}

/** What the word before the cursor may become, and that word: names of machines and the like, after `on` alone. */
export function completions(line: string, targets: readonly string[]): [found: string[], word: string] {
  const [, word] = /^\s*on\s+(?:.*[\s,])?([^\s,]*)$/s.exec(line) ?? [];
  if (word === undefined) {
    const own = ['on ', 'help', 'exit'].filter((one) => line !== '' && one.startsWith(line));
    return [own, line];
  }
  const sign = word.startsWith('!') ? '!' : '';
  const known = targets.map((target) => `${sign}${target}`);
  return [known.filter((target) => target.toLowerCase().startsWith(word.toLowerCase())), word];
}

/** All that a target may be, of what there is. */
export function targetsOf(
  hosts: readonly { readonly name: string; readonly labels: ReadonlyMap<string, string> }[],
): string[] {
  const names = hosts.map(({ name }) => name).filter((name) => isOneName(name));
  const labels = hosts.flatMap(({ labels: own }) => Array.from(own, ([name, value]) => `${name}=${value}`));
  return [...new Set([...names, ...labels.filter((label) => /^[\w.=-]+$/.test(label)), 'all'])].toSorted();
}
