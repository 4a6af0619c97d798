// What a member, a host or the server may be called, and which spellings are the same name: RFC 8265
// UsernameCaseMapped over the letters, marks and digits of every script. Why the rules stand here instead of coming
// from a library: docs/decisions/0003-names.md.

import { directionOf } from './direction.ts';

/** A name as it is shown: the first spelling given, in Unicode normalisation form C. */
export type Name = string & { readonly brand: 'Name' };
/** What names are compared by: two spellings with one key are one name. */
export type NameKey = string & { readonly brand: 'NameKey' };

export type NameRefusal =
  | { readonly refused: 'empty' }
  | { readonly refused: 'too-long'; readonly codePoints: number; readonly maxCodePoints: number }
  | { readonly refused: 'bad-character'; readonly codePoint: number }
  | { readonly refused: 'bad-start'; readonly codePoint: number }
  | { readonly refused: 'bad-direction' };

/** Code points: what fits a line of a terminal beside a message. */
export const MAX_NAME_CODE_POINTS = 32;
/** Code points: a fully qualified domain name has at most 253 octets (RFC 1035 2.3.4, less the length octets). */
export const MAX_HOST_NAME_CODE_POINTS = 253;

// The one test on the path of every message; what is not plain ASCII takes the long way.
const PLAIN = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;

export function parseName(
  text: string,
  { maxCodePoints = MAX_NAME_CODE_POINTS }: { maxCodePoints?: number } = {},
): { name: Name; key: NameKey } | NameRefusal {
  if (text.length <= maxCodePoints && PLAIN.test(text)) {
    return branded(text, text.toLowerCase());
  }
  const name = text.normalize('NFC');
  if (name === '') return { refused: 'empty' };
  const codePoints = Array.from(name).length;
  if (codePoints > maxCodePoints) return { refused: 'too-long', codePoints, maxCodePoints };
  const mapped = mapWidth(name);
  return refusalOf(name, mapped) ?? branded(name, mapped.toLowerCase().normalize('NFC'));
}

/** Whether two spellings are one name; what is no name is the same as nothing. */
export function isSameName(one: string, other: string): boolean {
  const [a, b] = [parseName(one), parseName(other)];
  return !('refused' in a) && !('refused' in b) && a.key === b.key;
}

function branded(name: string, key: string): { name: Name; key: NameKey } {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the only place that says so, after every rule
  return { name: name as Name, key: key as NameKey };
}

// RFC 8265 3.3.2 (1): only code points whose decomposition is <wide> or <narrow>, and those all live in this block.
// The rest of what NFKC maps stays as it is and is refused below (HasCompat).
function mapWidth(text: string): string {
  return text.replace(/[\uff01-\uffee]/g, (character) => character.normalize('NFKC'));
}

function refusalOf(name: string, mapped: string): NameRefusal | undefined {
  for (const character of name) {
    if (!isAllowed(mapWidth(character))) return { refused: 'bad-character', codePoint: codePointOf(character) };
  }
  // A leading `-` reads as an option, a leading `.` as a hidden file or a relative path.
  if (/^[-.]/.test(mapped)) return { refused: 'bad-start', codePoint: codePointOf(name) };
  // RFC 5892 A.8 and A.9: the two sets of Arabic digits look alike and never stand in one name.
  const extended = /[\u06f0-\u06f9]/u.exec(mapped);
  if (extended !== null && /[\u0660-\u0669]/.test(mapped)) {
    return { refused: 'bad-character', codePoint: codePointOf(extended[0]) };
  }
  return directionOf(mapped) === 'mixed' ? { refused: 'bad-direction' } : undefined;
}

// RFC 8264 9.1 (LetterDigits), and of ASCII no more than three signs.
const LETTER_MARK_OR_DIGIT = /^[\p{Ll}\p{Lu}\p{Lo}\p{Lm}\p{Mn}\p{Mc}\p{Nd}]$/u;
// RFC 5892 2.6: tatweel, its N'Ko sister, tone marks and kana repeat marks are letters or marks, yet disallowed.
const DISALLOWED = /^(?:[\u0640\u07fa\u3031-\u3035\u303b]|\u302e|\u302f)$/u;
// RFC 8264 9.9: conjoining jamo (Hangul_Syllable_Type L, V, T) that did not compose to a syllable.
const OLD_HANGUL_JAMO = /^[\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7c6\ud7cb-\ud7fb]$/u;
// RFC 8264 9.13: what is drawn as nothing makes two names that look like one.
const IGNORABLE = /^\p{Default_Ignorable_Code_Point}$/u;

function isAllowed(character: string): boolean {
  if (/^[A-Za-z0-9_.-]$/.test(character)) return true;
  // U+3007, the ideographic zero: number-like (Nl) by category, valid by RFC 5892 2.6.
  if (character === '\u3007') return true;
  return (
    LETTER_MARK_OR_DIGIT.test(character) &&
    !DISALLOWED.test(character) &&
    !OLD_HANGUL_JAMO.test(character) &&
    !IGNORABLE.test(character) &&
    // RFC 8264 9.17 (HasCompat): ligatures, presentation forms, styled letters.
    character.normalize('NFKC') === character
  );
}

function codePointOf(character: string): number {
  return character.codePointAt(0) ?? 0;
}
