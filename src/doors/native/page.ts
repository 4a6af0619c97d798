// As much of a list as one answer may have: a frame has its bound, and whoever is answered beyond it loses the connection.

import { MAX_LISTED_BYTES } from './limits.ts';

/** From the front; the first one whatever its size. */
export function fitting<Item>(items: readonly Item[], maxBytes = MAX_LISTED_BYTES): readonly Item[] {
  let bytes = 0;
  const end = items.findIndex((item, at) => {
    bytes += Buffer.byteLength(JSON.stringify(item)) + 1;
    return at > 0 && bytes > maxBytes;
  });
  return end === -1 ? items : items.slice(0, end);
}

/** From the back, in the same way. */
export function fittingLast<Item>(items: readonly Item[], maxBytes = MAX_LISTED_BYTES): readonly Item[] {
  return fitting(items.toReversed(), maxBytes).toReversed();
}

export interface Keyed<Item> {
  /** No two have the same. */
  readonly key: string;
  readonly item: Item;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** What to go on after; undefined: these are all. */
  readonly next?: string;
}

/**
 * All, in the order that they have, where that is one answer; else as many as fit, in the order of their keys: whoever comes
 * and goes between two pages moves nobody else from the one to the other.
 */
export function pageOf<Item>(all: readonly Keyed<Item>[], after: string | undefined): Page<Item> {
  if (after === undefined && fitting(all).length === all.length) return { items: all.map(({ item }) => item) };
  const rest = all.filter(({ key }) => after === undefined || key > after).toSorted(byKey);
  const page = fitting(rest);
  const last = page.at(-1);
  const items = page.map(({ item }) => item);
  return page.length < rest.length && last !== undefined ? { items, next: last.key } : { items };
}

function byKey(one: Keyed<unknown>, other: Keyed<unknown>): number {
  return one.key < other.key ? -1 : 1;
}
