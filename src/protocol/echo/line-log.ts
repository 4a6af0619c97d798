// Cuts an echoed stream into the lines that the server's log shows: few, short and escaped, whatever flows. Pure:
// time is an argument. When the budget is used up, a chunk costs one comparison.

import { escapeControls, shorten } from '../text.ts';

/** Per connection; a person types less, a stream would fill the disk. */
export const MAX_LOG_LINES_PER_SECOND = 10;
/** Of a logged line, name included. */
export const MAX_LOG_LINE_LENGTH = 200;
/** Kept of a line under way: 200 characters of at most four bytes; what is longer is cut anyway. */
const MAX_KEPT_BYTES = 4 * MAX_LOG_LINE_LENGTH;
/** Kinds of control characters in a text at most: what somebody typed, or coloured, has one or two. */
const MAX_CONTROLS = 8;
/** Of characters that are not UTF-8; of more it depends on whether they are most of the line. */
const MAX_FOREIGN = 8;
/** In the place of the first line that is no text; of the others of a connection nothing is shown, as of a probe's. */
export const NO_TEXT = '(bytes that are no text)';
const SECOND_MS = 1_000;
const LF = 10;
const CR = 13;

export class EchoLineLog {
  readonly #name: string;
  readonly #tell: (line: string) => void;
  /** The beginning of the line under way; bytes of it beyond the bound are only looked through for its end. */
  readonly #kept = new Uint8Array(MAX_KEPT_BYTES);
  #length = 0;
  /** Part of this line went by unlogged, so the rest of it is not logged either. */
  #isLineSkipped = false;
  #hasToldOther = false;
  #windowFromMs = Number.NEGATIVE_INFINITY;
  #linesInWindow = 0;

  constructor(name: string, tell: (line: string) => void) {
    this.#name = name;
    this.#tell = tell;
  }

  /** Looks at bytes that are echoed. Keeps no reference to them. */
  push(chunk: Uint8Array, nowMs: number): void {
    if (chunk.length === 0) return;
    let from = 0;
    while (from < chunk.length) {
      if (!this.#hasBudget(nowMs)) {
        this.#length = 0;
        this.#isLineSkipped = chunk[chunk.length - 1] !== LF;
        return;
      }
      const lf = chunk.indexOf(LF, from);
      const to = lf === -1 ? chunk.length : lf;
      if (!this.#isLineSkipped) this.#keep(chunk.subarray(from, to));
      if (lf === -1) return;
      if (!this.#isLineSkipped) this.#tellLine(nowMs);
      this.#isLineSkipped = false;
      from = lf + 1;
    }
  }

  /** The stream has ended: a last line without an end is a line too. */
  end(nowMs: number): void {
    if (this.#length > 0 && this.#hasBudget(nowMs)) this.#tellLine(nowMs);
  }

  #hasBudget(nowMs: number): boolean {
    return this.#linesInWindow < MAX_LOG_LINES_PER_SECOND || nowMs - this.#windowFromMs >= SECOND_MS;
  }

  #keep(bytes: Uint8Array): void {
    const room = MAX_KEPT_BYTES - this.#length;
    const part = bytes.length > room ? bytes.subarray(0, room) : bytes;
    this.#kept.set(part, this.#length);
    this.#length += part.length;
  }

  #tellLine(nowMs: number): void {
    const end = this.#kept[this.#length - 1] === CR ? this.#length - 1 : this.#length;
    const text = new TextDecoder('utf-8').decode(this.#kept.subarray(0, end));
    this.#length = 0;
    if (nowMs - this.#windowFromMs >= SECOND_MS) {
      this.#windowFromMs = nowMs;
      this.#linesInWindow = 0;
    }
    this.#linesInWindow++;
    const isOther = !isText(text);
    if (isOther && this.#hasToldOther) return;
    if (isOther) this.#hasToldOther = true;
    this.#tell(shorten(escapeControls(`${this.#name} : ${isOther ? NO_TEXT : text}`), MAX_LOG_LINE_LENGTH));
  }
}

/** Somebody's language in another encoding still is one: what is no text is mostly not UTF-8, or has NUL or controls of all kinds. */
function isText(line: string): boolean {
  let foreign = 0;
  const controls = new Set<string>();
  for (const character of line) {
    if (character === '\0') return false;
    if (character === '\ufffd') foreign += 1;
    else if (character < ' ' || (character >= '\x7f' && character <= '\x9f')) controls.add(character);
  }
  return controls.size <= MAX_CONTROLS && (foreign <= MAX_FOREIGN || foreign * 2 <= line.length);
}
