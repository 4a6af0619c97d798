// A text of several lines on a terminal: each line by itself, escaped, and further in, so that none looks like what the server
// says or like another message. Where the output goes elsewhere a message stays one line.

import { escapeControls } from '../../protocol/text.ts';

/** Before each line of a text but its first: nothing else that is shown begins with blanks. */
const INDENT = '\n    ';
/** UTF-16 units of a line that is held until its end has come: a message with every byte of it escaped. */
const MAX_HELD_LENGTH = 4 * 65_536;
/** A run that was shared, as the line protocol tells it and as its history has it: there a line end is `\n` in two characters. */
const SHARED_RUN =
  /^(?:\S+ \((?:single|multi|broad)casted\)|\d+ \d{4}-\d\d-\d\d \d\d:\d\d:\d\d .+ to .+) : run \d+ on /;
/** What may still become one: whoever types sees everything else at once. */
const MAY_BE_MESSAGE = /^(?:\S+ ?$|\S+ \(|\d+ \d)/;

/** Of a message as it was sent. */
export function brokenText(text: string): string {
  return text.split(/\r?\n/).map(escapeControls).join(INDENT);
}

/** Of what a server says by the line protocol, piece by piece. */
export class BrokenLines {
  #held = '';
  /** The beginning of the line has been shown already. */
  #isBegun = false;

  show(text: string): string {
    const lines = (this.#held + text).split('\n');
    const last = lines.pop() ?? '';
    const whole = lines.map((line, at) => `${at === 0 && this.#isBegun ? escapeControls(line) : shown(line)}\n`);
    const isBegun = lines.length === 0 && this.#isBegun;
    const mustWait = !isBegun && MAY_BE_MESSAGE.test(last) && last.length <= MAX_HELD_LENGTH;
    this.#held = mustWait ? last : '';
    this.#isBegun = isBegun || (last !== '' && !mustWait);
    return whole.join('') + (mustWait ? '' : escapeControls(last));
  }
}

function shown(line: string): string {
  const escaped = escapeControls(line);
  return SHARED_RUN.test(escaped) ? escaped.replaceAll(String.raw`\n`, INDENT) : escaped;
}
