// The bytes of one output, cut into lines. How the bytes are cut on their way makes no difference.

/** Stands at the end of a piece whose line goes on. */
export const CUT_MARK = '…';

export class LineCutter {
  // Not fatal: what is not UTF-8 is shown as U+FFFD, for these lines are to be read by a person.
  readonly #utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  readonly #maxLength: number;
  #rest = '';

  /** `maxLength`: UTF-16 units; a longer line comes in marked pieces. */
  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  receive(bytes: Uint8Array): string[] {
    const texts = (this.#rest + this.#utf8.decode(bytes, { stream: true })).split('\n');
    let rest = texts.pop() ?? '';
    const lines: string[] = [];
    for (const text of texts) {
      const line = withoutReturn(text);
      lines.push(this.#cutOff(line, { length: line.length, pieces: lines }));
    }
    // A CR at the end may turn out to be half of a line end, which does not count.
    rest = this.#cutOff(rest, { length: withoutReturn(rest).length, pieces: lines });
    this.#rest = rest;
    return lines;
  }

  /** No more comes: what stands after the last line end, if anything does. */
  end(): string[] {
    const lines: string[] = [];
    const last = this.#rest + this.#utf8.decode();
    const rest = this.#cutOff(last, { length: last.length, pieces: lines });
    this.#rest = '';
    if (rest !== '') lines.push(rest);
    return lines;
  }

  /** Gives up what it holds of an unfinished line. */
  cut(): string[] {
    const rest = this.#rest;
    this.#rest = '';
    return rest === '' ? [] : [rest + CUT_MARK];
  }

  get heldLength(): number {
    return this.#rest.length;
  }

  /** What is left of the text after as many whole pieces as there are in that length of it. */
  #cutOff(text: string, { length, pieces }: { length: number; pieces: string[] }): string {
    let from = 0;
    while (length - from > this.#maxLength) {
      const to = from + this.#maxLength;
      const end = isInsidePair(text, to) && to - from > 1 ? to - 1 : to;
      pieces.push(text.slice(from, end) + CUT_MARK);
      from = end;
    }
    return text.slice(from);
  }
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

/** Whether a cut there would part the two halves of a surrogate pair. */
function isInsidePair(text: string, at: number): boolean {
  const unit = text.charCodeAt(at - 1);
  return unit >= 0xd800 && unit <= 0xdbff;
}
