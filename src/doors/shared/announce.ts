// What the console says of a command before it starts: who, where and what, never more than a line.

import type { RunCommand } from '../../core/ports.ts';
import type { ConsoleEvent } from '../../log/log.ts';
import { escapeControls, shorten } from '../../protocol/text.ts';

/** UTF-16 units of the whole line: it stays one line on a wide terminal. */
export const MAX_ANNOUNCED_LENGTH = 200;

export interface Given {
  readonly by: string;
  readonly address: string;
  readonly host: string;
  /** Who else said yes to it, where somebody had to. */
  readonly approvedBy?: string | undefined;
}

/** `Given command ls (owner from ::1 on Server)`: escaped, and cut where it is the command that is long. */
export function announceCommand(command: RunCommand, given: Given): ConsoleEvent {
  const { by, address, host, approvedBy } = given;
  const start = 'Given command ';
  const approval = approvedBy === undefined ? '' : `, approved by ${approvedBy}`;
  const who = ` (${by} from ${address} on ${host}${approval})`;
  const shown = shorten(commandText(command), Math.max(1, MAX_ANNOUNCED_LENGTH - start.length - who.length));
  return {
    event: 'command',
    text: `${start}${shown}${who}`,
    command: shown,
    by,
    address,
    host,
    ...(approvedBy === undefined ? {} : { approvedBy }),
  };
}

/** The command on one line, escaped; the words of a vector are quoted where a shell would need it. */
export function commandText(command: RunCommand): string {
  return escapeControls(command.kind === 'shell' ? command.line : command.argv.map(quoteWord).join(' '));
}

function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
