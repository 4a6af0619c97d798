// What a server says is another's text: it goes to a terminal or to a log of ours escaped, and no longer than a sentence.

import { escapeControls, shorten } from '../protocol/text.ts';

/** UTF-16 units of what a server gives as its reason that are shown: a sentence with a few long names in it. */
const MAX_SHOWN_LENGTH = 300;

export function shown(text: string): string {
  return shorten(escapeControls(text), MAX_SHOWN_LENGTH);
}
