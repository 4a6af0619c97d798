// The bytes a command writes, cut into lines fit to be shown: any length, any bytes, never more held than one piece.

/** A longer line is shown in pieces of about this many UTF-16 units: output has no line limit, memory has. */
export const MAX_PIECE_LENGTH = 65_536;

export class OutputLines {
  // Not fatal: what is not UTF-8 is shown as U+FFFD, for these lines are to be read by a person.
  readonly #utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  #rest = '';

  receive(chunk: Uint8Array): string[] {
    return this.#cut(this.#utf8.decode(chunk, { stream: true }));
  }

  /** What stands after the last line end, if anything does. */
  receiveEnd(): string[] {
    const lines = this.#cut(this.#utf8.decode());
    if (this.#rest !== '') lines.push(this.#rest);
    this.#rest = '';
    return lines;
  }

  #cut(text: string): string[] {
    const lines = (this.#rest + text).split('\n');
    let rest = lines.pop() ?? '';
    for (let at = 0; at < lines.length; at++) {
      const line = lines[at] ?? '';
      if (line.endsWith('\r')) lines[at] = line.slice(0, -1);
    }
    while (rest.length > MAX_PIECE_LENGTH) {
      const end = isInsidePair(rest, MAX_PIECE_LENGTH) ? MAX_PIECE_LENGTH - 1 : MAX_PIECE_LENGTH;
      lines.push(rest.slice(0, end));
      rest = rest.slice(end);
    }
    this.#rest = rest;
    return lines;
  }
}

/** Whether a cut there would part the two halves of a surrogate pair. */
function isInsidePair(text: string, at: number): boolean {
  const unit = text.charCodeAt(at - 1);
  return unit >= 0xd800 && unit <= 0xdbff;
}
