// Many names in few characters: `db,web[1-9,11]`, which run targets read back as the same names.

import { escapeControls } from './text.ts';

/** Digits of a number in brackets, as run targets have them: so many a double counts exactly. */
const MAX_RANGE_DIGITS = 15;

/** Whoever means more machines than these types how many they are: so many names one still reads. */
export const MANY_MACHINES = 10;

/** `37 machines, 2 of them offline: web[1-37]`. */
export function formatMachines(machines: readonly { readonly name: string; readonly isOffline: boolean }[]): string {
  const offline = machines.filter(({ isOffline }) => isOffline).length;
  const some = offline === 0 ? '' : `, ${offline} of them offline`;
  const count = machines.length === 1 ? '1 machine' : `${machines.length} machines`;
  return `${count}${some}: ${formatNodeSet(machines.map(({ name }) => name))}`;
}

/** In the order in which a person would list them. In each name one number varies; what stands alone is listed. */
export function formatNodeSet(names: Iterable<string>): string {
  let left = [...new Set(names)].map((name) => name.split(/([0-9]+)/));
  const folded: Folded[] = [];
  const mostParts = left.reduce((most, parts) => Math.max(most, parts.length), 0);
  // The last number is tried first: in r1n1, r1n2 it is the one that varies. Numbers have the odd places from the end too.
  for (let fromEnd = 2; fromEnd < mostParts && left.length > 1; fromEnd += 2) {
    const alone: string[][] = [];
    for (const alike of groupBy(left, (parts) => withoutNumber(parts, parts.length - fromEnd))) {
      if (alike.length === 1) alone.push(...alike);
      else folded.push(foldAlike(alike, fromEnd));
    }
    left = alone;
  }
  folded.push(...left.map((parts) => ({ text: parts.join(''), place: placeOf(parts) })));
  return escapeControls(
    folded
      .sort((a, b) => compare(a.place, b.place))
      .map(({ text }) => text)
      .join(','),
  );
}

interface Folded {
  readonly text: string;
  /** Where it stands among the others: compared as text. */
  readonly place: string;
}

/** What two names have in common if they differ in the number there alone; itself if nothing can vary there. */
function withoutNumber(parts: readonly string[], at: number): string {
  const digits = parts[at];
  if (digits === undefined || digits.length > MAX_RANGE_DIGITS) return parts.join('');
  return `${parts.slice(0, at).join('')}[]${parts.slice(at + 1).join('')}`;
}

/** Names that differ in one number. */
function foldAlike(alike: readonly (readonly string[])[], fromEnd: number): Folded {
  const [first = []] = alike;
  const at = first.length - fromEnd;
  const numbers = alike.map((parts) => parts[at] ?? '');
  const lowest = numbers.reduce((low, digits) => (Number(digits) < Number(low) ? digits : low));
  const [head, tail] = [first.slice(0, at), first.slice(at + 1)];
  return {
    text: `${head.join('')}[${formatNumbers(numbers)}]${tail.join('')}`,
    place: placeOf([...head, lowest, ...tail]),
  };
}

/** `1-9,11`. Numbers of one width go together once one of them has leading zeros: 08, 09, 10 are 08-10. */
function formatNumbers(numbers: readonly string[]): string {
  const filledWidths = new Set(numbers.filter((digits) => /^0./.test(digits)).map((digits) => digits.length));
  const widthOf = (digits: string) => (filledWidths.has(digits.length) ? digits.length : 0);
  const runs: { width: number; first: string; last: string }[] = [];
  const sorted = numbers.toSorted((a, b) => widthOf(a) - widthOf(b) || Number(a) - Number(b));
  for (const digits of sorted) {
    const run = runs.at(-1);
    const isNext = run?.width === widthOf(digits) && Number(run.last) + 1 === Number(digits);
    if (isNext) run.last = digits;
    else runs.push({ width: widthOf(digits), first: digits, last: digits });
  }
  return runs.map(({ first, last }) => (first === last ? first : `${first}-${last}`)).join(',');
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return [...groups.values()];
}

/** With the count of its digits before each number, web2 is before web10, and a server's order is this one. */
function placeOf(parts: readonly string[]): string {
  const counted = parts.map((part, at) => (at % 2 === 1 ? countDigits(part) : part.toLowerCase()));
  return `${counted.join('')}\0${parts.join('')}`;
}

function countDigits(digits: string): string {
  const significant = digits.replace(/^0+(?=.)/, '');
  return `${String.fromCharCode(significant.length)}${significant}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
