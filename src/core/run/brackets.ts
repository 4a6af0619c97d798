// `web[1-9,12].lab` written out. Counted before it is expanded, so that no range costs more than it is allowed to.

/** Digits of a number in brackets: so many a double counts exactly. */
export const MAX_RANGE_DIGITS = 15;

export type BracketFault =
  | { readonly refused: 'unclosed-bracket' | 'unopened-bracket' | 'empty-brackets' }
  /** Only numbers and ranges of numbers stand in brackets. */
  | { readonly refused: 'not-a-range'; readonly range: string }
  /** It ends before it begins. */
  | { readonly refused: 'backwards'; readonly range: string }
  /** One end is filled up with zeros to another width than the other: `[01-100]`, `[1-09]`. */
  | { readonly refused: 'uneven-zeros'; readonly range: string }
  | { readonly refused: 'too-many-digits'; readonly range: string; readonly maxDigits: number };

interface Range {
  readonly first: number;
  readonly last: number;
  /** Digits to fill up to with zeros. */
  readonly width: number;
}

/** Every text that is meant, in the order of its numbers; `too-many` if they are more than `max`. */
export function expandBrackets(text: string, max: number): readonly string[] | 'too-many' | BracketFault {
  // What stands in brackets has the odd places.
  const parts = text.split(/\[([^[\]]*)\]/);
  if (parts.length === 1 && !/[[\]]/.test(text)) return max < 1 ? 'too-many' : [text];
  const slots: (readonly Range[])[] = [];
  for (const [at, part] of parts.entries()) {
    if (at % 2 === 1) {
      const ranges = parseRanges(part);
      if ('refused' in ranges) return ranges;
      slots.push(ranges);
    } else if (/[[\]]/.test(part)) {
      return { refused: part.includes('[') ? 'unclosed-bracket' : 'unopened-bracket' };
    }
  }
  if (slots.reduce((product, ranges) => product * countOf(ranges), 1) > max) return 'too-many';
  let texts = [parts[0] ?? ''];
  for (const [at, ranges] of slots.entries()) {
    const tail = parts[at * 2 + 2] ?? '';
    const numbers = ranges.flatMap(numbersOf);
    texts = texts.flatMap((head) => numbers.map((number) => `${head}${number}${tail}`));
  }
  return texts;
}

function parseRanges(text: string): readonly Range[] | BracketFault {
  if (text.trim() === '') return { refused: 'empty-brackets' };
  const ranges: Range[] = [];
  for (const part of text.split(',')) {
    const range = parseRange(part.trim());
    if ('refused' in range) return range;
    ranges.push(range);
  }
  return ranges;
}

function parseRange(range: string): Range | BracketFault {
  const [, first, last = first] = /^([0-9]+)(?:-([0-9]+))?$/.exec(range) ?? [];
  if (first === undefined || last === undefined) return { refused: 'not-a-range', range };
  if (Math.max(first.length, last.length) > MAX_RANGE_DIGITS) {
    return { refused: 'too-many-digits', range, maxDigits: MAX_RANGE_DIGITS };
  }
  const isFilled = isFilledUp(first) || isFilledUp(last);
  if (isFilled && first.length !== last.length) return { refused: 'uneven-zeros', range };
  if (Number(first) > Number(last)) return { refused: 'backwards', range };
  return { first: Number(first), last: Number(last), width: isFilled ? first.length : 1 };
}

function isFilledUp(digits: string): boolean {
  return digits.length > 1 && digits.startsWith('0');
}

function countOf(ranges: readonly Range[]): number {
  return ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
}

function numbersOf({ first, last, width }: Range): string[] {
  return Array.from({ length: last - first + 1 }, (_, at) => `${first + at}`.padStart(width, '0'));
}
