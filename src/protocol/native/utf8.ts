// Bytes that come in any pieces, as pieces of text cut between characters; what is no UTF-8 stays bytes.

export type Piece = { text: string } | { bytes: Uint8Array };

const NOTHING = new Uint8Array(0);
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class Utf8Pieces {
  /** The beginning of a character whose rest has not come: three bytes at most (RFC 3629, 3). */
  #held: Uint8Array = NOTHING;

  /** Undefined: it is only the beginning of a character so far. */
  push(bytes: Uint8Array): Piece | undefined {
    const all = this.#held.length === 0 ? bytes : join(this.#held, bytes);
    const whole = all.length - unfinishedTail(all);
    this.#held = all.slice(whole);
    return whole === 0 ? undefined : pieceOf(all.subarray(0, whole));
  }

  /** What was waiting for a rest that never came. */
  end(): Piece | undefined {
    const held = this.#held;
    this.#held = NOTHING;
    return held.length === 0 ? undefined : { bytes: held };
  }
}

function pieceOf(bytes: Uint8Array): Piece {
  try {
    return { text: decoder.decode(bytes) };
  } catch {
    return { bytes };
  }
}

function unfinishedTail(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return lengthAfter(byte) > back ? back : 0;
  }
  return 0;
}

/** How long the character is that begins so; 0 if none does. */
function lengthAfter(lead: number): number {
  if (lead < 0xc2 || lead > 0xf4) return 0;
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
