// What was said before, a page at a time.

import { isKnown } from '../../../core/chat/partner.ts';
import type { HistoryQuery, SearchQuery } from '../../../core/journal.ts';
import { chatHistory, chatSearch, MAX_PAGE_MESSAGES } from '../../../protocol/native/methods/past.ts';
import { entry, sessionOf, type Asker, type Entries } from '../entry.ts';
import { MAX_PAGE_BYTES } from '../limits.ts';
import { fitting, fittingLast } from '../page.ts';
import { no, toWireMessage } from '../translate.ts';
import { reasonOf } from '../../../reason.ts';

/** What search gives unless it is asked for more. */
const DEFAULT_FOUND = 20;

export const PAST: Entries<'chat.history' | 'chat.search'> = {
  'chat.history': entry(chatHistory, {
    needs: 'guest',
    summary: 'Messages that one sent or was sent, oldest first; without a cursor the newest',
    holds: true,
    answer: history,
  }),
  'chat.search': entry(chatSearch, {
    needs: 'guest',
    summary: 'The same, of those that have every word; `back*` is any that begins so',
    holds: true,
    answer: search,
  }),
};

async function history(asker: Asker, given: Pick<HistoryQuery, 'with' | 'before' | 'after'> & { limit?: number }) {
  const { hub, journal } = asker.house;
  const reader = hub.readerOf(sessionOf(asker));
  const query = { limit: MAX_PAGE_MESSAGES, ...given, ...reader, maxBytes: MAX_PAGE_BYTES };
  try {
    const { messages, isMore } = await journal.history(query);
    const isUnknown = messages.length === 0 && (await isNobody(asker, given.with));
    const all = messages.map(toWireMessage);
    // What is left out is what the next page begins with.
    const part = given.after === undefined ? fittingLast(all) : fitting(all);
    const more = isMore || part.length < all.length;
    return { result: { messages: part, more, ...(isUnknown ? { unknown: true } : {}) } };
  } catch (error) {
    return unreadable('Cannot read the history', error);
  }
}

/** Of a guest that has left there is still what was said, before this page or behind it. */
async function isNobody(asker: Asker, partner: string | undefined): Promise<boolean> {
  const { hub, journal } = asker.house;
  if (partner === undefined || isKnown(partner, hub)) return false;
  const whole = { ...hub.readerOf(sessionOf(asker)), with: partner, limit: 1, maxBytes: MAX_PAGE_BYTES };
  return (await journal.history(whole)).messages.length === 0;
}

async function search(asker: Asker, given: Pick<SearchQuery, 'words' | 'before'> & { limit?: number }) {
  const { hub, journal } = asker.house;
  const query = { limit: DEFAULT_FOUND, ...given, ...hub.readerOf(sessionOf(asker)) };
  try {
    const { messages, isMore, before } = await journal.search(query);
    const all = messages.map((message) => Object.assign(toWireMessage(message), { snippet: message.snippet }));
    const found = fittingLast(all);
    if (found.length < all.length) return { result: { messages: found, more: true } };
    return { result: { messages: found, more: isMore, ...(before === undefined ? {} : { before }) } };
  } catch (error) {
    return unreadable('Cannot search', error);
  }
}

function unreadable(attempt: string, error: unknown) {
  return no('unreadable', `${attempt}: ${reasonOf(error)}`);
}
