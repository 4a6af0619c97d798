// What is asked of ten million messages: each kind of page, and searches from the easiest to the worst.

import type { Client, Found } from '../src/client/mod.ts';
import { FRIENDS, groupOf, HIDDEN_WORD, nameOf, wordAt, WORDS } from './fill.ts';

const PAGE = 100;
/** What the command line shows of a search. */
const FOUND = 100;

interface Chances {
  /** From 0 to 1. */
  readonly next: () => number;
  /** The newest message. */
  readonly head: number;
}

export interface Question {
  readonly name: string;
  /** One question of this kind, which says what is wrong with its answer. */
  readonly make: (chances: Chances) => (client: Client) => Promise<string | undefined>;
}

export const PAGES: readonly Question[] = [
  page('the newest page', () => ({})),
  page('a page before a message', ({ next, head }) => ({ before: somewhere(next, head) })),
  page('a page after a message', ({ next, head }) => ({ after: somewhere(next, head) })),
  page('a page with somebody', ({ next }) => ({ with: nameOf(2 + Math.floor(next() * FRIENDS)) })),
  page('a page of what was said to all', ({ next, head }) => ({ with: 'all', before: somewhere(next, head) })),
  page('a page of a group', ({ next, head }) => ({ with: groupOf(0), before: somewhere(next, head) })),
  page(
    'a page of a group of others, which is empty',
    ({ next }) => ({ with: groupOf(1 + Math.floor(next() * 19)) }),
    0,
  ),
];

export const SEARCHES: readonly Question[] = [
  search('search, a rare word', ({ next }) => wordBetween(next, WORDS / 2, WORDS)),
  search('search, a word', ({ next }) => wordBetween(next, 100, 1_000)),
  search('search, a frequent word', ({ next }) => wordBetween(next, 0, 20)),
  search('search, two words', ({ next }) => `${wordBetween(next, 0, 1_000)} ${wordBetween(next, 0, 1_000)}`),
  search('search, the first two letters of words', ({ next }) => `${wordBetween(next, 100, 1_000).slice(0, 2)}*`),
  search('search, a word that only others say to each other', () => HIDDEN_WORD, 0),
];

function somewhere(next: () => number, head: number): number {
  // Not so near to either end that a page is not full.
  return Math.floor(head * (0.1 + next() * 0.8));
}

function wordBetween(next: () => number, from: number, to: number): string {
  return wordAt(Math.floor(from + next() * (to - from)));
}

function page(
  name: string,
  wishes: (chances: Chances) => { with?: string; before?: number; after?: number },
  count = PAGE,
): Question {
  return {
    name,
    make: (chances) => {
      const wished = wishes(chances);
      const { before = Number.POSITIVE_INFINITY, after = 0 } = wished;
      return async (client) => {
        const messages = await Array.fromAsync(client.history({ ...wished, limit: PAGE }));
        if (messages.length !== count) return `${messages.length} messages instead of ${count}`;
        let last = after;
        for (const { id } of messages) {
          if (id <= last || id >= before) return `message ${id} is not where it should be`;
          last = id;
        }
        return undefined;
      };
    },
  };
}

/** The page, or that there is no more: where the server stops on the way, it is asked to go on. */
async function findAll(client: Client, words: string): Promise<Found['messages']> {
  const parts: Found['messages'][] = [];
  let before: number | undefined;
  for (let left = FOUND; left > 0;) {
    const part = await client.search(words, { limit: left, ...(before === undefined ? {} : { before }) });
    parts.unshift(part.messages);
    left -= part.messages.length;
    before = part.before;
    if (before === undefined) break;
  }
  return parts.flat();
}

function search(name: string, wish: (chances: Chances) => string, atMost = FOUND): Question {
  return {
    name,
    make: (chances) => {
      const words = wish(chances);
      return async (client) => {
        const messages = await findAll(client, words);
        if (messages.length > atMost) return `${messages.length} messages for "${words}"`;
        const wanted = words.split(' ').map((word) => word.replace('*', ''));
        const wrong = messages.find(({ text }) => !wanted.every((word) => ` ${text}`.includes(` ${word}`)));
        return wrong === undefined ? undefined : `message ${wrong.id} does not have "${words}"`;
      };
    },
  };
}
