// What was said before, as lines: a part of the history, or what was found in it.

import { isKnown } from '../../core/chat/partner.ts';
import type { Hub } from '../../core/hub.ts';
import type { FoundMessage, HistoryQuery, Journal, Reader, SearchQuery } from '../../core/journal.ts';
import { formatError, formatPast } from '../../protocol/line/reply.ts';
import type { Paging } from '../../protocol/line/paging.ts';
import { quote, shorten } from '../../protocol/text.ts';
import { MAX_PAST_MESSAGES } from './limits.ts';
import { reasonOf } from '../../reason.ts';

/** Messages that fit a terminal, unless more are asked for. */
const DEFAULT_MESSAGES = 20;
/** One answer holds no more bytes of text at once; what is beyond is said how to get. */
const MAX_BYTES = 1_048_576;
/** UTF-16 units of a text that was found: it is to be recognised, not read. */
const FOUND_LENGTH = 200;

type Past = Pick<Journal, 'history' | 'search'>;

interface Looking {
  readonly journal: Past;
  readonly hub: Hub;
}

export async function readPast({ journal, hub }: Looking, reader: Reader, paging: Paging): Promise<string> {
  const limit = Math.min(paging.limit ?? DEFAULT_MESSAGES, MAX_PAST_MESSAGES);
  const query: HistoryQuery = { ...reader, ...paging, limit, maxBytes: MAX_BYTES };
  try {
    const { messages, isMore } = await journal.history(query);
    if (messages.length === 0) return noMessages(paging.with, hub);
    const lines = messages.map((message) => formatPast({ ...message, from: message.fromName }));
    if (!isMore) return lines.join('');
    const partner = paging.with === undefined ? '' : ` with ${paging.with}`;
    const isForward = paging.after !== undefined && paging.before === undefined;
    const from = isForward ? `after ${messages.at(-1)?.id}` : `before ${messages[0]?.id}`;
    return `${lines.join('')}more: history${partner} ${from}\n`;
  } catch (error) {
    return formatError(`Cannot read the history: ${reasonOf(error)}`);
  }
}

/** Nothing was said, or there is nobody with whom. */
function noMessages(partner: string | undefined, hub: Hub): string {
  if (partner === undefined || isKnown(partner, hub)) return 'No messages\n';
  return `No messages: ${partner.startsWith('#') ? 'there is no group' : 'nobody is named'} ${quote(partner)}\n`;
}

export async function findPast(journal: Past, reader: Reader, words: string): Promise<string> {
  try {
    const messages = await findAll(journal, { ...reader, words, limit: DEFAULT_MESSAGES });
    if (messages.length === 0) return 'No messages\n';
    return messages
      .map(({ snippet, ...message }) =>
        formatPast({
          ...message,
          from: message.fromName,
          text: shorten(snippet.replaceAll('\u0002', '').replaceAll('\u0003', ''), FOUND_LENGTH),
        }),
      )
      .join('');
  } catch (error) {
    return formatError(`Cannot search: ${reasonOf(error)}`);
  }
}

/** A search that takes long is answered in parts: others are answered between two of them. */
async function findAll(journal: Past, query: SearchQuery): Promise<readonly FoundMessage[]> {
  const parts: (readonly FoundMessage[])[] = [];
  let { before } = query;
  for (let left = query.limit; left > 0;) {
    const part = await journal.search({ ...query, limit: left, ...(before === undefined ? {} : { before }) });
    parts.unshift(part.messages);
    left -= part.messages.length;
    before = part.before;
    if (before === undefined) break;
  }
  return parts.flat();
}
