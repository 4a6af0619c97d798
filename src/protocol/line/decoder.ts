// Bytes to lines, for the protocol that people type: UTF-8, LF or CRLF, telnet's sequences taken out, a bound on
// every line. Feeding never throws: what is wrong with a line becomes an input like any other, and the next line is
// read as if nothing had happened.

import { withoutTelnet } from './telnet.ts';

/** Longest line, in bytes without its line end. Long enough for any message typed or pasted, short enough to hold. */
export const MAX_LINE_BYTES = 65_536;

/** A line that cannot be read; `begins` is what its first bytes look like, for telling who is speaking. */
export type Malformed = { readonly malformed: 'overlong' | 'not-utf8'; readonly begins: string };
export type LineInput = string | Malformed;

/** Enough for the method of an HTTP request. */
const BEGINNING_BYTES = 16;
const LF = 0x0a;
const CR = 0x0d;
/** One UTF-16 unit takes at most three bytes of UTF-8 (RFC 3629 section 3), so a shorter text needs no counting. */
const MAX_BYTES_PER_UNIT = 3;

// A byte order mark is text here: `ignoreBOM` keeps it, so that what was sent is what is stored.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

export class LineDecoder {
  /**
   * The beginning of a line whose end has not come, in the first `#pending` bytes. A copy, so that an idle connection
   * holds no read buffer; it doubles as it fills, so that a line sent byte by byte costs no more than the line.
   */
  #beginning: Uint8Array | undefined;
  #pending = 0;
  /** Inside a line that has already been answered as overlong. */
  #isSkipping = false;

  receive(chunk: Uint8Array): LineInput[] {
    const inputs: LineInput[] = [];
    let start = 0;
    if (this.#isSkipping) {
      const end = chunk.indexOf(LF);
      if (end < 0) return inputs;
      this.#isSkipping = false;
      start = end + 1;
    }
    const last = chunk.lastIndexOf(LF);
    if (last >= start) {
      readLines(this.#take(chunk.subarray(start, last + 1)), inputs);
      start = last + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start), inputs);
    return inputs;
  }

  /** The peer says no more: a last line without a line end counts as a line. */
  receiveEnd(): LineInput[] {
    const inputs: LineInput[] = [];
    if (this.#pending > 0) readLines(this.#take(Uint8Array.of(LF)), inputs);
    this.#isSkipping = false;
    return inputs;
  }

  #keep(piece: Uint8Array, inputs: LineInput[]): void {
    const length = this.#pending + piece.length;
    // One byte more than the longest line may still turn out to be the CR of its line end.
    if (length > MAX_LINE_BYTES + 1) {
      inputs.push(malformed('overlong', this.#take(piece)));
      this.#isSkipping = true;
      return;
    }
    if (this.#beginning === undefined || this.#beginning.length < length) {
      const grown = new Uint8Array(this.#pending === 0 ? length : Math.max(length, this.#pending * 2));
      if (this.#beginning !== undefined) grown.set(this.#beginning.subarray(0, this.#pending));
      this.#beginning = grown;
    }
    this.#beginning.set(piece, this.#pending);
    this.#pending = length;
  }

  #take(tail: Uint8Array): Uint8Array {
    if (this.#beginning === undefined) return tail;
    const whole = new Uint8Array(this.#pending + tail.length);
    whole.set(this.#beginning.subarray(0, this.#pending));
    whole.set(tail, this.#pending);
    this.#beginning = undefined;
    this.#pending = 0;
    return whole;
  }
}

/** Reads whole lines; the block ends with LF. One decoding for all of them, as long as they are good. */
function readLines(block: Uint8Array, inputs: LineInput[]): void {
  const text = decode(block);
  if (text === undefined) return readEach(block, inputs);
  for (let start = 0; start < text.length;) {
    const end = text.indexOf('\n', start);
    const line = text.slice(start, text.charCodeAt(end - 1) === CR && end > start ? end - 1 : end);
    inputs.push(isOverlong(line) ? malformed('overlong', encoder.encode(line)) : line);
    start = end + 1;
  }
}

/** Line by line, once the block is not UTF-8 as a whole: 0xFF, which begins every telnet sequence, never is. */
function readEach(block: Uint8Array, inputs: LineInput[]): void {
  for (let start = 0; start < block.length;) {
    const end = block.indexOf(LF, start);
    const line = block.subarray(start, end > start && block[end - 1] === CR ? end - 1 : end);
    start = end + 1;
    if (line.length > MAX_LINE_BYTES) inputs.push(malformed('overlong', line));
    else inputs.push(decode(withoutTelnet(line)) ?? malformed('not-utf8', line));
  }
}

function malformed(what: Malformed['malformed'], line: Uint8Array): Malformed {
  return { malformed: what, begins: String.fromCharCode(...line.subarray(0, BEGINNING_BYTES)) };
}

function isOverlong(line: string): boolean {
  return line.length * MAX_BYTES_PER_UNIT > MAX_LINE_BYTES && encoder.encode(line).length > MAX_LINE_BYTES;
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
