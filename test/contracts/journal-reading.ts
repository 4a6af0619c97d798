// What every journal promises to those who read: theirs and nothing else, in pages of any size.

import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { StoredMessage } from '../../src/core/journal.ts';
import { seedOf } from '../kit/random.ts';
import { aMessage, aName, append, BOB, EVE, GUEST, type Holds, MAX, MUCH, texts, toAll } from './journal.ts';

const VISIBILITY: readonly (readonly [reader: string, member: number, since: number, fed: string, seen: string])[] = [
  ['the sender', BOB, 0, 'self all-eve', 'all-early one several group self all-late all-eve'],
  [
    'an account of the beginning',
    EVE,
    0,
    'all-early one several group all-late',
    'all-early one several group all-late all-eve',
  ],
  ['an account that came later', EVE, 1, 'one several group all-late', 'one several group all-late all-eve'],
  ['one of several', MAX, 1, 'several all-late all-eve', 'several all-late all-eve'],
  ['a guest in a group', GUEST, 4, 'group all-late all-eve', 'group all-late all-eve'],
  ['a stranger', -99, 6, 'all-eve', 'all-eve'],
  ['a stranger that came last', -99, 7, '', ''],
];

export function holdsReading(holds: Holds): void {
  holds('everyone sees what is theirs and nothing else', async ({ journal }) => {
    const sent = [
      toAll('all-early'),
      aMessage({ text: 'one' }),
      aMessage({ text: 'several', cast: 'multicast', to: ['Eve', 'Max'], recipients: [EVE, MAX] }),
      aMessage({ text: 'group', cast: 'multicast', to: ['#ops'], recipients: [EVE, GUEST] }),
      aMessage({ text: 'self', to: ['Bob'], recipients: [BOB] }),
      toAll('all-late'),
      toAll('all-eve', EVE),
    ];
    for (const message of sent) assert.equal((await append(journal, message)).result, 'new');
    for (const [who, member, since, fed, seen] of VISIBILITY) {
      const history = await journal.history({ member, since, ...MUCH });
      assert.equal(texts(history.messages).join(' '), seen, `${who} has a history`);
      // What was in a history is in one page of a feed, too.
      const feed = await journal.feed({ member, since, after: 0, upTo: 7, ...MUCH, isCounting: true });
      assert.equal(texts(feed.messages).join(' '), fed, `${who} is fed`);
      assert.deepEqual([feed.cursor, feed.behind], [7, feed.messages.length]);
      const found = await journal.search({ member, since, words: 'al*', limit: 100 });
      const all = seen.split(' ').filter((text) => text.startsWith('all'));
      assert.deepEqual(texts(found.messages), all, `${who} finds`);
    }
  });

  holds('a history with somebody, with a group, or of what was said to all', async ({ journal }) => {
    const sent = [
      toAll('all'),
      aMessage({ text: 'bob to eve' }),
      aMessage({ text: 'eve to bob', from: EVE, fromName: aName('Eve').name, to: ['Bob'], recipients: [BOB] }),
      aMessage({ text: 'bob to both', cast: 'multicast', to: ['Eve', 'Max'], recipients: [EVE, MAX] }),
      aMessage({ text: 'bob to ops', cast: 'multicast', to: ['#Ops'], recipients: [EVE] }),
      aMessage({ text: 'bob to max', to: ['Max'], recipients: [MAX] }),
    ];
    for (const message of sent) await append(journal, message);
    const heard = async (member: number, name: string) =>
      texts((await journal.history({ member, since: 0, with: name, ...MUCH })).messages);
    assert.deepEqual(await heard(EVE, 'bOB'), ['bob to eve', 'eve to bob', 'bob to both']);
    assert.deepEqual(await heard(BOB, 'ＥVE'), ['bob to eve', 'eve to bob', 'bob to both']);
    assert.deepEqual(await heard(MAX, 'bob'), ['bob to both', 'bob to max']);
    assert.deepEqual(await heard(MAX, 'eve'), []);
    assert.deepEqual(await heard(EVE, '#OPS'), ['bob to ops']);
    assert.deepEqual(await heard(BOB, '#ops'), ['bob to ops']);
    assert.deepEqual(await heard(MAX, '#ops'), []);
    assert.deepEqual(await heard(MAX, 'all'), ['all']);
    assert.deepEqual(await heard(BOB, 'all'), ['all']);
    assert.deepEqual(await heard(EVE, 'nobody at all!'), []);
  });

  holds(
    'of what was said to a group everyone sees what they were there for, whoever comes and goes',
    async ({ journal }, t) => {
      const seed = seedOf(t);
      const everyone = [BOB, EVE, MAX, GUEST];
      const some = fc.uniqueArray(fc.constantFrom(...everyone), { minLength: 0, maxLength: 4 });
      const saying = fc.record({ from: fc.constantFrom(BOB, EVE), stays: fc.integer({ min: 1, max: 5 }), some });
      const to = fc.constantFrom<string[]>(['#ops'], ['#tea'], ['#ops', 'Max'], ['#tea', '#ops']);
      const said = fc.sample(fc.tuple(saying, to), { seed, numRuns: 60 });
      const heard = new Map(everyone.map((member) => [member, [] as number[]]));
      let last = 0;
      for (const [{ from, stays, some }, to] of said) {
        const recipients = some.filter((member) => member !== from);
        for (let time = 0; time < stays; time++) {
          await append(journal, aMessage({ from, to, cast: 'multicast', recipients }));
          last += 1;
          if (to.includes('#ops')) for (const member of [from, ...recipients]) heard.get(member)?.push(last);
        }
      }
      const pages = fc.sample(fc.record({ at: fc.nat(last), limit: fc.integer({ min: 1, max: 30 }) }), {
        seed,
        numRuns: 30,
      });
      for (const [member, ids] of heard) {
        const page = async (query: { after?: number; before?: number; limit: number }) =>
          (await journal.history({ member, since: 0, with: '#Ops', maxBytes: 1e6, ...query })).messages.map(
            ({ id }) => id,
          );
        assert.deepEqual(await page({ limit: 1_000 }), ids);
        for (const { at, limit } of pages) {
          assert.deepEqual(await page({ after: at, limit }), ids.filter((id) => id > at).slice(0, limit));
          assert.deepEqual(await page({ before: at, limit }), ids.filter((id) => id < at).slice(-limit));
        }
      }
    },
  );

  holds('a feed read in pages of any size has no gap and no repeat', async ({ journal }, t) => {
    const seed = seedOf(t);
    const sizes = fc.sample(fc.integer({ min: 0, max: 40 }), { seed, numRuns: 120 });
    for (const [at, size] of sizes.entries()) {
      const text = 'é'.repeat(size);
      await append(
        journal,
        size % 4 === 0
          ? toAll(text, size % 8 === 0 ? BOB : EVE)
          : aMessage({ text, recipients: [at % 3 === 0 ? MAX : EVE] }),
      );
    }
    const reader = { member: EVE, since: 10 };
    await journal.history({ ...reader, ...MUCH });
    const whole = await journal.feed({ ...reader, after: 0, upTo: 110, limit: 1_000, maxBytes: 1e6 });
    assert.ok(whole.messages.length > 20);
    const bounds = fc.tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 0, max: 300 }));
    const paged = fc.asyncProperty(fc.infiniteStream(bounds), async (stream) => {
      const read: StoredMessage[] = [];
      for (let after = 0; after < 110;) {
        const [limit, maxBytes] = stream.next().value ?? [1, 1];
        const page = await journal.feed({ ...reader, after, upTo: 110, limit, maxBytes, isCounting: true });
        assert.equal(page.behind, whole.messages.length - read.length);
        const bytes = page.messages.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
        assert.ok(page.messages.length <= limit);
        assert.ok(page.messages.length <= 1 || bytes <= maxBytes, `${bytes} bytes`);
        assert.ok(page.cursor > after);
        read.push(...page.messages);
        after = page.cursor;
      }
      assert.deepEqual(read, whole.messages);
    });
    await fc.assert(paged, { seed, numRuns: 25 });
  });

  holds('a history is paged both ways, oldest first in each page', async ({ journal }) => {
    for (let at = 1; at <= 10; at++) await append(journal, at % 2 === 0 ? toAll(`${at}`) : aMessage({ text: `${at}` }));
    const page = async (query: { after?: number; before?: number; limit: number; maxBytes?: number }) => {
      const { messages, isMore } = await journal.history({ member: BOB, since: 0, maxBytes: 1_000, ...query });
      return `${messages.map(({ id }) => id).join(' ')}${isMore ? ' …' : ''}`;
    };
    assert.equal(await page({ limit: 3 }), '8 9 10 …');
    assert.equal(await page({ limit: 3, before: 8 }), '5 6 7 …');
    assert.equal(await page({ limit: 4, before: 5 }), '1 2 3 4');
    assert.equal(await page({ limit: 3, after: 0 }), '1 2 3 …');
    assert.equal(await page({ limit: 3, after: 7 }), '8 9 10');
    assert.equal(await page({ limit: 3, after: 3, before: 6 }), '4 5');
    assert.equal(await page({ limit: 9, maxBytes: 3 }), '9 10 …');
    assert.equal(await page({ limit: 9, maxBytes: 0 }), '10 …');
    assert.equal(await page({ limit: 9, after: 10 }), '');
  });
}
