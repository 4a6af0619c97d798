// What was typed, and what Node makes of it: words that are not UTF-8 come with U+FFFD in the place of what they have, and so
// mean something else, another file say. What the kernel keeps of the command line has the bytes.

import { readFileSync } from 'node:fs';
import { quote } from '../../protocol/text.ts';

const REPLACEMENT = '\uFFFD';
const COMMAND_LINE = '/proc/self/cmdline';

/** Why these, the last words of the command line, are not what was typed. Undefined: they are, or nobody can tell (no /proc). */
export function whyNotAsTyped(words: readonly string[], commandLine = readCommandLine): string | undefined {
  const doubtful = words.findLastIndex((word) => word.includes(REPLACEMENT));
  if (doubtful < 0) return undefined;
  const typed = commandLine()?.slice(-words.length);
  const isLost = (word: string, i: number) => typed?.[i] !== undefined && !typed[i].equals(Buffer.from(word));
  const lost = words.find(isLost);
  return lost === undefined
    ? undefined
    : `${quote(lost)} was typed with bytes that are not UTF-8, which cannot be passed on`;
}

function readCommandLine(): Buffer[] | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(COMMAND_LINE);
  } catch {
    return undefined;
  }
  const words: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(0, at);
    const next = end < 0 ? bytes.length : end;
    words.push(bytes.subarray(at, next));
    at = next + 1;
  }
  return words;
}
