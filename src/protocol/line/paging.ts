// Which part of the history somebody wants: `with bob before 1042 limit 20`, in any order, each at most once.

export interface Paging {
  /** A name, a group or `all`. */
  readonly with?: string;
  readonly before?: number;
  readonly after?: number;
  readonly limit?: number;
}

const NUMBER = /^[1-9][0-9]{0,14}$/;

/** Undefined: it is not written so. */
export function parsePaging(text: string): Paging | undefined {
  const words = text.split(/[ \t]+/).filter((word) => word !== '');
  const paging: { with?: string; before?: number; after?: number; limit?: number } = {};
  for (let at = 0; at < words.length; at += 2) {
    const [what = '', value] = [words[at], words[at + 1]];
    if (value === undefined) return undefined;
    if (what === 'with') {
      if (paging.with !== undefined) return undefined;
      paging.with = value;
    } else if (what === 'before' || what === 'after' || what === 'limit') {
      if (paging[what] !== undefined || !NUMBER.test(value)) return undefined;
      paging[what] = Number(value);
    } else return undefined;
  }
  return paging.before !== undefined && paging.after !== undefined && paging.after >= paging.before
    ? undefined
    : paging;
}
