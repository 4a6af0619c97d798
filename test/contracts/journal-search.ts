// What every journal promises about what a search finds.

import assert from 'node:assert/strict';
import { aMessage, append, EVE, type Holds, texts } from './journal.ts';

export function holdsSearch(holds: Holds): void {
  holds('a search knows no case, no diacritics and no syntax', async ({ journal }) => {
    const said = [
      'Der Ärger über CAFÉ',
      'cafe near me',
      'AND OR NOT NEAR',
      'a "quoted" word',
      'x-y z*',
      'tea \u0002for\u0003 two',
    ];
    for (const text of said) await append(journal, aMessage({ text }));
    const found = async (words: string) => {
      const { messages } = await journal.search({ member: EVE, since: 0, words, limit: 10 });
      return messages.map(({ id }) => id).join(' ');
    };
    for (const [words, ids] of [
      ['cafe', '1 2'],
      ['Café', '1 2'],
      ['arger uber', '1'],
      ['uber arg', ''],
      ['uber arg*', '1'],
      ['arg* uber', '1'],
      ['caf', ''],
      ['caf*', '1 2'],
      ['ca"f*', ''],
      ['near', '2 3'],
      ['AND', '3'],
      ['near NOT', '3'],
      ['cafe OR tea', ''],
      ['"quoted"', '4'],
      ['"quoted', '4'],
      ['text:cafe', ''],
      ['x-y', '5'],
      ['y-x', ''],
      ['NEAR(cafe me)', ''],
      ['^cafe', '1 2'],
      ['* ( ) "', ''],
      ['', ''],
    ] as const) {
      assert.equal(await found(words), ids, words);
    }
    const marked = await journal.search({ member: EVE, since: 0, words: 'two', limit: 1 });
    assert.equal(marked.messages[0]?.snippet, 'tea for \u0002two\u0003');
    assert.equal(marked.messages[0]?.text, said[5]);
  });

  holds('a search is paged from the newest, oldest first in each page', async ({ journal }) => {
    for (let at = 1; at <= 5; at++) await append(journal, aMessage({ text: `word ${at}` }));
    const query = { member: EVE, since: 0, words: 'word', limit: 2 };
    const newest = await journal.search(query);
    assert.deepEqual([texts(newest.messages), newest.isMore], [['word 4', 'word 5'], true]);
    const oldest = await journal.search({ ...query, before: 3 });
    assert.deepEqual([texts(oldest.messages), oldest.isMore], [['word 1', 'word 2'], false]);
  });
}
