// How secrets are written: invitation codes for people to type, account tokens for programs. Told apart by their form
// from each other and from the owner token (43 characters of base64url): `login TEXT` needs no guess.

// Crockford's base32: digits and letters without I, L, O (taken for 1, 1, 0 when read) and U.
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const GROUPS = 7;
const GROUP_LENGTH = 4;
/** Characters of 5 bits each: 140 bits, over the 128 that nobody guesses, in groups of one length. */
export const CODE_LENGTH = GROUPS * GROUP_LENGTH;
const CODE = /^(?:[0-9A-TV-Z]{4}[- ]?){6}[0-9A-TV-Z]{4}$/;

/** In front of an account token: programs that look for leaked secrets find it, and people know what it is. */
export const TOKEN_PREFIX = 'pl_';
const TOKEN = /^pl_[A-Za-z0-9_-]{43}$/;

/** A code of the lowest five bits of each byte; there are `CODE_LENGTH` of them. */
export function formatCode(bytes: Uint8Array): string {
  const characters = Array.from(bytes.subarray(0, CODE_LENGTH), (byte) => ALPHABET[byte & 31] ?? '').join('');
  return grouped(characters);
}

/** The code as it was given out, whatever case, look-alikes and separators it was typed with; undefined: no code. */
export function parseCode(text: string): string | undefined {
  const upper = text.trim().toUpperCase();
  if (!CODE.test(upper)) return undefined;
  return grouped(upper.replace(/[- ]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1'));
}

/** Case counts; there is one way to write a token. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

function grouped(characters: string): string {
  const groups: string[] = [];
  for (let at = 0; at < characters.length; at += GROUP_LENGTH) groups.push(characters.slice(at, at + GROUP_LENGTH));
  return groups.join('-');
}
