// What the commands that look back share: a message as a line, and a past of any length written as it comes.

import type { Message } from '../../client/mod.ts';
import { escapeControls, quote } from '../../protocol/text.ts';
import { brokenText } from './broken-lines.ts';
import { fail } from './come-in.ts';
import { jsonLine } from './json-line.ts';
import { print } from './print.ts';
import { localTime } from './time.ts';

/** UTF-16 units that are written at once: what a pipe holds. */
const BATCH_LENGTH = 65_536;

export interface Writing {
  readonly isJson: boolean;
  /** So many messages have been written, and this was the last one. */
  readonly onWritten?: (count: number, last: Message) => void;
}

/**
 * Writes them one a line, and holds no more of them than one write. False: nobody reads any more. What came before the
 * messages broke off is written all the same.
 */
export async function writeMessages(
  messages: AsyncIterable<Message>,
  { isJson, onWritten }: Writing,
): Promise<boolean> {
  let text = '';
  let count = 0;
  let last: Message | undefined;
  const flush = async (): Promise<boolean> => {
    const isRead = text === '' || (await print(text));
    text = '';
    if (isRead && last !== undefined) onWritten?.(count, last);
    return isRead;
  };
  try {
    for await (const message of messages) {
      text += isJson ? jsonLine(message) : lineOf(message);
      last = message;
      count++;
      if (text.length >= BATCH_LENGTH && !(await flush())) return false;
    }
  } catch (error) {
    await flush();
    throw error;
  }
  return flush();
}

export interface Found {
  /** As it was given. */
  readonly with: string | undefined;
  readonly isUnknown: boolean;
  readonly isEmpty: boolean;
  readonly isJson: boolean;
}

/** Says on stderr why nothing was written, so that a pipe stays clean; the status of the command. */
export function conclude(command: string, found: Found): number {
  if (found.isUnknown && found.with !== undefined) {
    const isGroup = found.with.startsWith('#');
    const why = isGroup ? 'there is no such group' : 'nobody of that name is here or has an account';
    return fail(command, `Cannot look back at ${quote(found.with)}: ${why}, and nothing was said`);
  }
  if (found.isEmpty && !found.isJson) process.stderr.write(`partyline ${command}: no messages\n`);
  return 0;
}

/** As `history` on the line protocol shows it, in this machine's time; on a terminal with the lines that the text has. */
export function lineOf({ id, at, from, to, text }: Message, isTerminal = process.stdout.isTTY): string {
  const head = escapeControls(`${id} ${localTime(at)} ${from} to ${to.join(' ')} : `);
  return `${head}${isTerminal ? brokenText(text) : escapeControls(text)}\n`;
}
