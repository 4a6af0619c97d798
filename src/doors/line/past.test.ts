import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aMessage } from '../../../test/contracts/journal.ts';
import type { FoundMessage, SearchQuery } from '../../core/journal.ts';
import { findPast } from './past.ts';

test('a search that is answered in parts is asked on until it is through, or the page is full', async () => {
  const asked: (number | undefined)[] = [];
  const found = (id: number): FoundMessage => ({ ...aMessage(), id, snippet: `a \u0002word\u0003 ${id}` });
  const parts = [
    { messages: [found(9)], isMore: true, before: 8 },
    { messages: [], isMore: true, before: 4 },
    { messages: [found(2), found(3)], isMore: false },
  ];
  const journal = {
    history: () => Promise.reject(new Error('not asked for')),
    search: ({ before }: SearchQuery) => {
      asked.push(before);
      return Promise.resolve(parts[asked.length - 1] ?? { messages: [], isMore: false });
    },
  };
  const lines = await findPast(journal, { member: 1, since: 0 }, 'word');
  assert.deepEqual(asked, [undefined, 8, 4]);
  assert.deepEqual(
    [...lines.matchAll(/word (\d)/g)].map(([, id]) => id),
    ['2', '3', '9'],
  );
});
