// What was typed, and what Node makes of it: words that are not UTF-8 come with U+FFFD in the place of what they have, and so
// mean something else, another file say. What the kernel keeps of the command line has the bytes.

import { readFileSync } from 'node:fs';
import { quote } from '../../protocol/text.ts';

/** Why these, the last words of the command line, are not what was typed. Undefined: they are, or nobody can tell (no /proc). */
export function whyNotAsTyped(words: readonly string[], commandLine = readCommandLine): string | undefined {
  const typed = commandLine()?.slice(-words.length);
  const isLost = (word: string, i: number) => typed?.[i] !== undefined && typed[i] !== asBytes(word);
  const lost = words.find(isLost);
  return lost === undefined
    ? undefined
    : `${quote(lost)} was typed with bytes that are not UTF-8, which cannot be passed on`;
}

/** A character for each byte. */
function asBytes(word: string): string {
  return Buffer.from(word).toString('latin1');
}

/** As bytes, each word with a NUL at its end. */
function readCommandLine(): string[] | undefined {
  try {
    return readFileSync('/proc/self/cmdline', 'latin1').replace(/\0$/, '').split('\0');
  } catch {
    return undefined;
  }
}
