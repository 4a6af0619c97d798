// Patterns with `*` (any characters, also none) and `?` (one character), as they stand in run targets.

export function isGlob(text: string): boolean {
  return /[*?]/.test(text);
}

/** Goes back to the last `*` only, so that no pattern takes more than the product of both lengths. */
export function matchesGlob(pattern: string, text: string): boolean {
  let inPattern = 0;
  let inText = 0;
  let star = -1;
  let starTakesTo = 0;
  while (inText < text.length) {
    const sign = pattern.codePointAt(inPattern);
    const point = text.codePointAt(inText);
    if (sign === STAR) {
      star = inPattern;
      starTakesTo = inText;
      inPattern += 1;
    } else if (sign === ANY_ONE || sign === point) {
      inPattern += unitsOf(sign);
      inText += unitsOf(point);
    } else if (star >= 0) {
      starTakesTo += unitsOf(text.codePointAt(starTakesTo));
      inPattern = star + 1;
      inText = starTakesTo;
    } else {
      return false;
    }
  }
  while (pattern.codePointAt(inPattern) === STAR) inPattern += 1;
  return inPattern === pattern.length;
}

const STAR = 0x2a;
const ANY_ONE = 0x3f;

function unitsOf(point: number | undefined): number {
  return point !== undefined && point > 0xffff ? 2 : 1;
}
