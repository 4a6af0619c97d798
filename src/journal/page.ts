// As many messages as a page may have, by number and by size.

import type { StoredMessage } from '../core/journal.ts';

export interface Bounds {
  readonly limit: number;
  /** UTF-8 bytes of all texts together; the first message is taken whatever its size. */
  readonly maxBytes: number;
}

/** Takes from the front what fits, and reads at most one more, to know that there is one. */
export function take(
  messages: Iterable<StoredMessage>,
  { limit, maxBytes }: Bounds,
): { taken: StoredMessage[]; isMore: boolean } {
  const taken: StoredMessage[] = [];
  let bytes = 0;
  for (const message of messages) {
    bytes += Buffer.byteLength(message.text);
    if (taken.length >= limit || (taken.length > 0 && bytes > maxBytes)) return { taken, isMore: true };
    taken.push(message);
  }
  return { taken, isMore: false };
}
