// What was said before: a part of the history, or what was found in it.

import { method } from '../method.ts';
import { integer, listOf, messageId, object, optional, someText, text, truth } from '../shape.ts';
import { MESSAGE } from './chat.ts';

/** Messages of one answer. */
export const MAX_PAGE_MESSAGES = 1_000;

const limit = optional(integer(1, MAX_PAGE_MESSAGES));

/**
 * `with`: a name, `#group` or `all`. Oldest first; without a cursor the newest. `unknown`: there is nobody of that name,
 * and nothing was ever said with one.
 */
export const chatHistory = method('chat.history', {
  params: object({ with: optional(someText), before: optional(messageId), after: optional(messageId), limit }),
  result: object({ messages: listOf(object(MESSAGE)), more: truth, unknown: optional(truth) }),
});

/**
 * In `snippet` what was found stands between U+0002 and U+0003. `before`: it took long; what came before this message has not
 * been looked at, and is asked for by it. There may be no message then.
 */
export const chatSearch = method('chat.search', {
  params: object({ words: someText, before: optional(messageId), limit }),
  result: object({
    messages: listOf(object({ ...MESSAGE, snippet: text })),
    more: truth,
    before: optional(messageId),
  }),
});
