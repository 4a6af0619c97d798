// The history, however long, page by page: oldest first, and never more than two pages in memory.

import { chatHistory, MAX_PAGE_MESSAGES } from '../protocol/native/methods/past.ts';
import type { Message } from './inbox.ts';

export interface HistoryWishes {
  /** With this member, this `#group`, or `all`. */
  readonly with?: string;
  readonly before?: number;
  readonly after?: number;
  /** The newest so many, or the oldest so many after `after`; without it all. */
  readonly limit?: number;
  /** There is nobody of the name in `with`, and nothing was ever said with one. */
  readonly onUnknown?: () => void;
}

type Page = Exclude<ReturnType<typeof chatHistory.parseResult>, undefined>;
export type AskPage = (wishes: Omit<HistoryWishes, 'onUnknown'>) => Promise<Page>;

export async function* readHistory(askPage: AskPage, wishes: HistoryWishes): AsyncGenerator<Message, void, undefined> {
  const { after, before, limit = Number.POSITIVE_INFINITY } = wishes;
  const ask: AskPage = async (asked) => {
    const page = await askPage(asked);
    if (page.unknown === true) wishes.onUnknown?.();
    return page;
  };
  const partner = wishes.with === undefined ? {} : { with: wishes.with };
  if (after !== undefined || limit === Number.POSITIVE_INFINITY) {
    yield* forward({ after: after ?? 0, before, limit });
    return;
  }
  let page = await ask({ ...partner, ...(before === undefined ? {} : { before }), limit: pageOf(limit) });
  const newest = page.messages.at(-1)?.id;
  if (newest === undefined) return;
  // Back to where it begins, keeping one page at a time; what was passed on the way is read again on the way forward.
  let left = limit - page.messages.length;
  let passed = 0;
  for (let oldest = page.messages[0]?.id; page.more && left > 0 && oldest !== undefined;) {
    const older: Page = await ask({ ...partner, before: oldest, limit: pageOf(left) });
    if (older.messages.length === 0) break;
    passed += page.messages.length;
    left -= older.messages.length;
    oldest = older.messages[0]?.id;
    page = older;
  }
  yield* page.messages;
  const last = page.messages.at(-1)?.id ?? newest;
  // What was sent meanwhile is not part of it.
  if (passed > 0) yield* forward({ after: last, before: newest + 1, limit: passed });

  async function* forward(part: { after: number; before: number | undefined; limit: number }) {
    let cursor = part.after;
    for (let rest = part.limit; rest > 0;) {
      const { messages, more } = await ask({ ...partner, after: cursor, limit: pageOf(rest) });
      for (const message of messages) {
        if (part.before !== undefined && message.id >= part.before) return;
        yield message;
      }
      rest -= messages.length;
      cursor = messages.at(-1)?.id ?? cursor;
      if (!more || messages.length === 0) return;
    }
  }
}

function pageOf(limit: number): number {
  return Math.min(limit, MAX_PAGE_MESSAGES);
}
