// On which line of a TOML text something stands, which its parser does not tell: the text is cut at the end of a line, what is
// open there is closed, and the shortest such beginning that has it is looked for by halves.

/** Keys and indices, from the root. */
export type Path = readonly (string | number)[];

/** The line that ends here ends nothing but perhaps lists and inline tables, which `closers` would close. */
interface Cut {
  readonly end: number;
  readonly line: number;
  readonly closers: string;
}

/** The line where it begins. `parse` gives what is not there yet as undefined: the text as a whole is TOML, and has it. */
export function lineOf(text: string, path: Path, parse: (text: string) => unknown): number {
  const cuts = cutsOf(text);
  const has = (at: number): boolean => {
    const { end, closers } = cuts[at] ?? { end: text.length, closers: '' };
    return isThere(parse(`${text.slice(0, end)}\n${closers}`), path);
  };
  // All before `low` have it not, all from `high` on have it.
  let low = 0;
  let high = cuts.length;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (has(middle)) high = middle;
    else low = middle + 1;
  }
  // After the last that is without it: a text of several lines cannot be cut.
  return (cuts[low - 1]?.line ?? 0) + 1;
}

function isThere(root: unknown, path: Path): boolean {
  let value = root;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return false;
    value = Object.getOwnPropertyDescriptor(value, step)?.value;
  }
  return true;
}

/** Texts over several lines, texts, comments; what opens and closes; the end of a line. In TOML nothing else has one of these. */
const TOKEN = /"""(?:\\[^]|[^\\])*?"{3,5}|'''[^]*?'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|#[^\n]*|[[\]{}\n]/g;

function cutsOf(text: string): readonly Cut[] {
  const cuts: Cut[] = [];
  let closers = '';
  let line = 1;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (token === '[') closers = `]${closers}`;
    else if (token === '{') closers = `}${closers}`;
    else if (token === ']' || token === '}') closers = closers.slice(1);
    else if (token === '\n') cuts.push({ end: index, line: line++, closers });
    else line += token.split('\n').length - 1;
  }
  return cuts;
}
