// The two line-wise looks that an echo client takes at streams it otherwise leaves alone: where on the way out a line
// says `close`, and where on the way back a line begins and gets its label.

const LF = 10;
const CLOSE = Buffer.from('close\n');
/** A line may end in CRLF as well. */
const CLOSE_CRLF = Buffer.from('close\r\n');
const NOTHING = Buffer.alloc(0);

export interface Watched {
  /** What goes on to the server. */
  readonly pass: Uint8Array;
  /** The line `close` was found: what follows it is not looked at. */
  readonly isClosed: boolean;
}

/** Finds the line that is exactly `close`, however the stream is cut. Holds back at most six bytes. */
export class CloseWatch {
  #held = NOTHING;
  #isAtLineStart = true;

  push(chunk: Buffer): Watched {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const close = this.#find(bytes);
    if (close !== -1) return { pass: bytes.subarray(0, close), isClosed: true };
    const lineStart = bytes.lastIndexOf(LF) + 1;
    const tail = lineStart > 0 || this.#isAtLineStart ? bytes.subarray(lineStart) : undefined;
    const isHeld = tail !== undefined && (beginsWith(CLOSE, tail) || beginsWith(CLOSE_CRLF, tail));
    this.#held = isHeld ? Buffer.from(tail) : NOTHING;
    this.#isAtLineStart =
      isHeld || (lineStart > 0 ? lineStart === bytes.length : this.#isAtLineStart && bytes.length === 0);
    return { pass: bytes.subarray(0, bytes.length - this.#held.length), isClosed: false };
  }

  /** The input has ended: a last `close` without a line end counts. */
  end(): Watched {
    const held = this.#held;
    this.#held = NOTHING;
    const isClosed = held.length >= CLOSE.length - 1;
    return { pass: isClosed ? NOTHING : held, isClosed };
  }

  #find(bytes: Buffer): number {
    if (this.#isAtLineStart && (beginsWith(bytes, CLOSE) || beginsWith(bytes, CLOSE_CRLF))) return 0;
    const found = [bytes.indexOf('\nclose\n'), bytes.indexOf('\nclose\r\n')].filter((at) => at !== -1);
    return found.length === 0 ? -1 : Math.min(...found) + 1;
  }
}

function beginsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return bytes.length >= start.length && Buffer.compare(bytes.subarray(0, start.length), start) === 0;
}

/** Puts a label before each line as soon as its first byte is there; every other byte stays as it is. */
export class Labeller {
  readonly #label: Uint8Array;
  #isAtLineStart = true;

  constructor(label: string) {
    this.#label = Buffer.from(label);
  }

  get isAtLineStart(): boolean {
    return this.#isAtLineStart;
  }

  push(chunk: Uint8Array): Uint8Array {
    if (chunk.length === 0) return chunk;
    const starts = this.#isAtLineStart ? [0] : [];
    for (let at = chunk.indexOf(LF); at !== -1 && at + 1 < chunk.length; at = chunk.indexOf(LF, at + 1)) {
      starts.push(at + 1);
    }
    this.#isAtLineStart = chunk[chunk.length - 1] === LF;
    if (starts.length === 0) return chunk;
    const labelled = Buffer.allocUnsafe(chunk.length + starts.length * this.#label.length);
    let written = 0;
    let from = 0;
    for (const start of starts) {
      labelled.set(chunk.subarray(from, start), written);
      labelled.set(this.#label, written + start - from);
      written += start - from + this.#label.length;
      from = start;
    }
    labelled.set(chunk.subarray(from), written);
    return labelled;
  }
}
