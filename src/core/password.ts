// What may be a password: RFC 8265 OpaqueString, 8 code points to 1,024 bytes, and no rule about what it is made of
// (NIST SP 800-63B: such rules make passwords worse). Two ways to type the same characters are one password.

/** A password as it is hashed: judged, in Unicode normalisation form C, its spaces U+0020. */
export type Password = string & { readonly brand: 'Password' };

export type PasswordRefusal =
  | { readonly refused: 'too-short'; readonly codePoints: number; readonly minCodePoints: number }
  | { readonly refused: 'too-long'; readonly bytes: number; readonly maxBytes: number }
  | { readonly refused: 'bad-character'; readonly codePoint: number };

/** Code points: the least that NIST SP 800-63B allows. */
export const MIN_PASSWORD_CODE_POINTS = 8;
/** UTF-8 bytes: any passphrase, and no work for whoever sends megabytes. */
export const MAX_PASSWORD_BYTES = 1_024;
/** UTF-16 units before normalisation, which takes at most 4 to make a character of 2 bytes: more is not looked at. */
const MAX_RAW_LENGTH = 4 * MAX_PASSWORD_BYTES;

// RFC 8265 4.2.2 (2): every space but the ASCII one.
const OTHER_SPACE = /(?! )\p{Zs}/gu;
// RFC 8264 4.3 (FreeformClass): what is drawn as nothing, has no character yet, controls or separates lines.
// The joiners have rules of context there, against names that look alike: nobody sees a password, so they pass.
const DISALLOWED = /(?![\u200c\u200d])[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
// RFC 8264 9.9: conjoining jamo that did not compose to a syllable.
const OLD_HANGUL_JAMO = /[\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7c6\ud7cb-\ud7fb]/;

export function judgePassword(text: string): { password: Password } | PasswordRefusal {
  if (text.length > MAX_RAW_LENGTH) return tooLong(text);
  const password = text.replace(OTHER_SPACE, ' ').normalize('NFC');
  const bad = DISALLOWED.exec(password) ?? OLD_HANGUL_JAMO.exec(password);
  if (bad !== null) return { refused: 'bad-character', codePoint: bad[0].codePointAt(0) ?? 0 };
  const codePoints = Array.from(password).length;
  if (codePoints < MIN_PASSWORD_CODE_POINTS) {
    return { refused: 'too-short', codePoints, minCodePoints: MIN_PASSWORD_CODE_POINTS };
  }
  if (bytesOf(password) > MAX_PASSWORD_BYTES) return tooLong(password);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the only place that says so, after every rule
  return { password: password as Password };
}

function tooLong(text: string): PasswordRefusal {
  return { refused: 'too-long', bytes: bytesOf(text), maxBytes: MAX_PASSWORD_BYTES };
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
