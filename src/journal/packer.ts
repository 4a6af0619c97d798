// Messages on their way into the log: written into one buffer as they are taken, in the form that packed.ts has.

import type { NewMessage } from '../core/journal.ts';
import { HEAD_BYTES } from './frame.ts';
import { CASTS, type Packed } from './packed.ts';
import type { Resend } from './wire.ts';

/** Bytes that are kept ready for a frame: one of more gets a buffer of its own. */
const KEPT_BYTES = 1_048_576;
/** A message's bytes at most, without its texts and recipients. */
const FIXED_BYTES = 64;
/** One UTF-16 unit takes at most three bytes of UTF-8 (RFC 3629 section 3). */
const MAX_BYTES_PER_UNIT = 3;
/** Up to here a loop writes a text faster than a call into the engine. */
const LOOP_LENGTH = 24;

/** Puts the messages of a frame one behind the other; one frame at a time. */
export class Packer {
  readonly #kept = Buffer.allocUnsafeSlow(KEPT_BYTES);
  #bytes = this.#kept;
  #view = viewOf(this.#kept);
  #at = HEAD_BYTES;
  #count = 0;
  #keyed = 0;

  /** How many it has. */
  get count(): number {
    return this.#count;
  }

  add({ atMs, from, fromName, cast, to, text, recipients }: NewMessage, resend: Resend | undefined): void {
    let units = fromName.length + text.length + (resend === undefined ? 0 : resend[0].length + resend[1].length);
    for (const name of to) units += name.length;
    this.#makeRoom(FIXED_BYTES + units * MAX_BYTES_PER_UNIT + to.length * 4 + recipients.length * 8);
    this.#double(atMs);
    this.#double(from);
    this.#bytes[this.#at++] = CASTS.indexOf(cast);
    this.#text(fromName);
    this.#number(to.length);
    for (const name of to) this.#text(name);
    this.#text(text);
    this.#number(recipients.length);
    for (const member of recipients) this.#double(member);
    this.#bytes[this.#at++] = resend === undefined ? 0 : 1;
    this.#count += 1;
    if (resend === undefined) return;
    for (const each of resend) this.#text(each);
    this.#keyed += 1;
  }

  /** A frame of all that was added. Its memory is used again from the next `add` on. */
  take(): Packed {
    const packed = { count: this.#count, keyed: this.#keyed, bytes: this.#bytes.subarray(0, this.#at) };
    if (this.#bytes !== this.#kept) this.#use(this.#kept);
    this.#at = HEAD_BYTES;
    this.#count = 0;
    this.#keyed = 0;
    return packed;
  }

  #makeRoom(length: number): void {
    if (this.#at + length <= this.#bytes.length) return;
    const before = this.#bytes;
    this.#use(Buffer.allocUnsafeSlow(Math.max(before.length * 2, this.#at + length)));
    before.copy(this.#bytes, 0, 0, this.#at);
  }

  #use(bytes: Buffer<ArrayBuffer>): void {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
  }

  #double(value: number): void {
    this.#view.setFloat64(this.#at, value);
    this.#at += 8;
  }

  #number(value: number): void {
    this.#view.setUint32(this.#at, value);
    this.#at += 4;
  }

  #text(text: string): void {
    const start = this.#at + 4;
    const length = text.length > LOOP_LENGTH ? this.#bytes.write(text, start) : this.#short(text, start);
    this.#number(length);
    this.#at += length;
  }

  #short(text: string, start: number): number {
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) return this.#bytes.write(text, start);
      this.#bytes[start + i] = unit;
    }
    return text.length;
  }
}

function viewOf({ buffer, byteOffset, length }: Buffer<ArrayBuffer>): DataView {
  return new DataView(buffer, byteOffset, length);
}
