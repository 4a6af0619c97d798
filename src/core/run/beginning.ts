// The beginning of a command, where the whole of it is too long to be shown.

import type { AskedCommand } from './policy.ts';

/** So many UTF-16 units of it, with one between two words. */
export function beginningOf(command: AskedCommand, length: number): AskedCommand {
  switch (command.kind) {
    case 'shell':
      return { ...command, line: command.line.slice(0, length) };
    case 'argv':
      return { ...command, argv: beginningOfWords(command.argv, length) };
    case 'verb': {
      const [verb = '', ...args] = beginningOfWords([command.verb, ...command.args], length);
      return { ...command, verb, args };
    }
  }
}

function beginningOfWords(words: readonly string[], length: number): string[] {
  const shown: string[] = [];
  let left = length;
  for (const word of words) {
    if (left <= 0) break;
    shown.push(word.slice(0, left));
    left -= word.length + 1;
  }
  return shown;
}
