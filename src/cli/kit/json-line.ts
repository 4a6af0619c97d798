// One JSON object a line, for programs; and since it may be a terminal that shows it, with nothing raw in it that
// drives one.

import { escapeControls } from '../../protocol/text.ts';

/** What JSON leaves as it is beyond printable ASCII (RFC 8259 section 7): among it are DEL, C1 and bidi controls. */
const BEYOND_ASCII = /[\u007f-\uffff]/g;

/** The same value to whoever parses it. */
export function jsonLine(value: object): string {
  const json = JSON.stringify(value);
  return `${escapeControls(json) === json ? json : json.replace(BEYOND_ASCII, escapeUnsafe)}\n`;
}

function escapeUnsafe(character: string): string {
  if (escapeControls(character) === character) return character;
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
