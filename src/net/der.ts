// ASN.1 values in DER (X.690), as many kinds as a certificate has. Bytes out, nothing is read.

export type Der = Buffer;

/** X.690 8.1.3: below 128 the length is one byte, else a count of bytes and then those. */
export function der(tag: number, ...content: readonly Uint8Array[]): Der {
  const body = Buffer.concat(content);
  if (body.length < 0x80) return Buffer.concat([Buffer.of(tag, body.length), body]);
  const length = Buffer.from(body.length.toString(16).padStart(8, '0'), 'hex');
  const digits = length.subarray(length.findIndex((byte) => byte !== 0));
  return Buffer.concat([Buffer.of(tag, 0x80 | digits.length), digits, body]);
}

export function sequence(...parts: readonly Uint8Array[]): Der {
  return der(0x30, ...parts);
}

export function set(...parts: readonly Uint8Array[]): Der {
  return der(0x31, ...parts);
}

/** A number above zero, from its bytes: a first bit that is set would make it negative. */
export function positiveInteger(bytes: Uint8Array): Der {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = bytes.subarray(Math.max(first, 0));
  return der(0x02, (digits[0] ?? 0) < 0x80 ? Buffer.of() : Buffer.of(0), digits);
}

export function octetString(...content: readonly Uint8Array[]): Der {
  return der(0x04, ...content);
}

/** `unused` bits at its end do not count (X.690 8.6.2). */
export function bitString(bytes: Uint8Array, unused = 0): Der {
  return der(0x03, Buffer.of(unused), bytes);
}

export function utf8String(text: string): Der {
  return der(0x0c, Buffer.from(text));
}

export const TRUE: Der = der(0x01, Buffer.of(0xff));

/** `1.2.840.10045.2.1`: X.690 8.19. */
export function objectIdentifier(dotted: string): Der {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return der(0x06, Buffer.from([first * 40 + second, ...rest].flatMap(base128)));
}

function base128(number: number): number[] {
  const digits = [number & 0x7f];
  for (let left = number >>> 7; left > 0; left >>>= 7) digits.unshift(0x80 | (left & 0x7f));
  return digits;
}

/** RFC 5280 4.1.2.5: UTCTime up to 2049, GeneralizedTime from 2050 on. */
export function time(at: Date): Der {
  const digits = at.toISOString().replace(/[-:T]|\.\d+/g, '');
  return at.getUTCFullYear() < 2050 ? der(0x17, Buffer.from(digits.slice(2))) : der(0x18, Buffer.from(digits));
}

/** X.690 8.14, as `[n]` in a definition: around other values, or in place of a plain one's tag. */
export function around(n: number, ...content: readonly Uint8Array[]): Der {
  return der(0xa0 | n, ...content);
}

export function inPlaceOf(n: number, content: Uint8Array): Der {
  return der(0x80 | n, content);
}
