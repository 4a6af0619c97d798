// Whether a name with right-to-left letters reads the same wherever it stands (the Bidi rule of RFC 5893 section 2), and
// the order in which it then stands on a screen, from left to right.

// oxlint-disable-next-line typescript/triple-slash-reference -- an ambient module has no path to import
/// <reference path="../../types/bidi-js.d.ts" />
import bidiFactory from 'bidi-js';

// Every letter, mark and digit that is right-to-left lives in these blocks (UAX #9, defaults of DerivedBidiClass).
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

type Classes = ReturnType<typeof bidiFactory>;
let classes: Classes | undefined;

/** `mixed` breaks the Bidi rule: shown beside other text, its parts could change places. */
export function directionOf(text: string): 'left-to-right' | 'right-to-left' | 'mixed' {
  if (!RIGHT_TO_LEFT.test(text)) return 'left-to-right';
  const types = Array.from(text, typeOf);
  if (!types.some((type) => type === 'R' || type === 'AL' || type === 'AN')) return 'left-to-right';
  return keepsBidiRule(types) ? 'right-to-left' : 'mixed';
}

// A mark younger than the library's tables (Unicode 13) is NSM all the same; the platform knows it.
function typeOf(character: string): string {
  if (/^\p{Mn}$/u.test(character)) return 'NSM';
  // The tables unfold at the first right-to-left name, so that nobody's start-up pays for them.
  classes ??= bidiFactory();
  return classes.getBidiCharTypeName(character);
}

const ALLOWED = new Set(['R', 'AL', 'AN', 'EN', 'ES', 'CS', 'ET', 'ON', 'BN', 'NSM']);

// Conditions 1 to 4. Conditions 5 and 6 are for text without right-to-left characters, and any left-to-right
// beginning fails condition 5 as soon as one of these follows.
function keepsBidiRule(types: readonly string[]): boolean {
  const first = types[0];
  if (first !== 'R' && first !== 'AL') return false;
  if (!types.every((type) => ALLOWED.has(type))) return false;
  const last = types.findLast((type) => type !== 'NSM');
  if (last !== 'R' && last !== 'AL' && last !== 'EN' && last !== 'AN') return false;
  return !(types.includes('EN') && types.includes('AN'));
}

/**
 * The code points of a name as they are drawn from left to right (UAX #9, what of it a name can have: no brackets, no
 * embeddings, right-to-left as a whole), each mark after its letter (L3).
 */
export function inDisplayOrder(text: string): string {
  if (directionOf(text) !== 'right-to-left') return text;
  const clusters = text.match(/\P{Mn}\p{Mn}*|^\p{Mn}+/gu) ?? [];
  const types = clusters.map((cluster) => typeOf(Array.from(cluster)[0] ?? ''));
  const drawn: string[] = [];
  for (let at = 0; at < clusters.length;) {
    // Numbers run from left to right within.
    let end = at + 1;
    while (isNumber(types[at]) && continuesNumber({ types, clusters }, end)) end++;
    drawn.unshift(clusters.slice(at, end).join(''));
    at = end;
  }
  return drawn.join('');
}

function isNumber(type: string | undefined): boolean {
  return type === 'EN' || type === 'AN';
}

// UAX #9 W4: one `.` (CS) between two digits belongs to the number, and one `-` (ES) too unless they are Arabic, which
// digits after an Arabic letter are (W2).
function continuesNumber({ types, clusters }: { types: string[]; clusters: string[] }, at: number): boolean {
  if (isNumber(types[at])) return true;
  const isArabic =
    types.slice(0, at).findLast((type) => type === 'R' || type === 'AL') === 'AL' || types.includes('AN');
  const joins = clusters[at] === '.' || (clusters[at] === '-' && !isArabic);
  return joins && isNumber(types[at + 1]) && isNumber(types[at - 1]);
}
