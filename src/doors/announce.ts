// What the console says of a command before it starts: who, where and what, never more than a line.

import type { ConsoleEvent } from '../log/log.ts';
import { escapeControls, shorten } from '../protocol/text.ts';

/** Characters of the whole line. */
export const MAX_ANNOUNCED_CHARACTERS = 200;

export interface Given {
  readonly by: string;
  readonly address: string;
  readonly host: string;
}

export function announceCommand(command: string, { by, address, host }: Given): ConsoleEvent {
  const where = ` (${by} from ${address} on ${host})`;
  const room = MAX_ANNOUNCED_CHARACTERS - 'Given command '.length - where.length;
  const shown = shorten(escapeControls(command), Math.max(room, 1));
  return { event: 'command', text: `Given command ${shown}${where}`, command: shown, by, address, host };
}
