// Both outputs of a command in one stream of bytes, in the order in which they came: pieces, each with its output before
// it, and positions where something is not there any more. A detached run is kept so, and told so to whoever attaches.
//
//   1 byte tag, 4 bytes length (big endian), that many bytes
//   tag 1: of stdout; tag 2: of stderr; tag 0: a position, 8 bytes, counted over both outputs from the first byte

export type OutputTag = 'stdout' | 'stderr';

export type Tagged =
  | { readonly type: OutputTag; readonly bytes: Uint8Array }
  /** What follows begins here. */
  | { readonly type: 'position'; readonly at: number };

export const TAGGED_HEADER_BYTES = 5;
const POSITION_BYTES = 8;
const TAGS = ['position', 'stdout', 'stderr'] as const;

/** To be followed by so many bytes. */
export function taggedHeader(type: OutputTag, length: number): Uint8Array {
  return headed(type, length, TAGGED_HEADER_BYTES);
}

export function encodePosition(at: number): Uint8Array {
  const encoded = headed('position', POSITION_BYTES, TAGGED_HEADER_BYTES + POSITION_BYTES);
  new DataView(encoded.buffer).setBigUint64(TAGGED_HEADER_BYTES, BigInt(at));
  return encoded;
}

function headed(type: Tagged['type'], length: number, bytes: number): Uint8Array {
  const encoded = new Uint8Array(bytes);
  encoded[0] = TAGS.indexOf(type);
  new DataView(encoded.buffer).setUint32(1, length);
  return encoded;
}

/** Takes them in whatever pieces they come; what it gives shares their memory. */
export class TaggedDecoder {
  /** Of a header, or of a position, that is not complete. */
  readonly #partial = new Uint8Array(POSITION_BYTES);
  #held = 0;
  #inside: Tagged['type'] | undefined;
  #left = 0;
  #isBroken = false;

  /** Undefined: it is something else, and nothing more is read. */
  receive(chunk: Uint8Array): Tagged[] | undefined {
    const found: Tagged[] = [];
    for (let at = 0; at < chunk.length && !this.#isBroken;) {
      if (this.#inside === 'stdout' || this.#inside === 'stderr') {
        const bytes = chunk.subarray(at, at + this.#left);
        found.push({ type: this.#inside, bytes });
        at += bytes.length;
        this.#left -= bytes.length;
        if (this.#left === 0) this.#inside = undefined;
        continue;
      }
      const wanted = this.#inside === undefined ? TAGGED_HEADER_BYTES : POSITION_BYTES;
      const taken = chunk.subarray(at, at + wanted - this.#held);
      this.#partial.set(taken, this.#held);
      this.#held += taken.length;
      at += taken.length;
      if (this.#held < wanted) break;
      this.#held = 0;
      if (this.#inside === undefined) this.#begin();
      else found.push(this.#position());
    }
    return this.#isBroken ? undefined : found;
  }

  #begin(): void {
    const type = TAGS[this.#partial[0] ?? TAGS.length];
    const length = new DataView(this.#partial.buffer).getUint32(1);
    this.#isBroken = type === undefined || (type === 'position' && length !== POSITION_BYTES);
    this.#inside = length === 0 ? undefined : type;
    this.#left = length;
  }

  #position(): Tagged {
    this.#inside = undefined;
    return { type: 'position', at: Number(new DataView(this.#partial.buffer).getBigUint64(0)) };
  }
}
