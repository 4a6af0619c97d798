// What every journal promises, whatever it keeps its messages in: one suite, run against each.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import * as fc from 'fast-check';
import {
  type Account,
  type Appended,
  type Change,
  type Everything,
  type Journal,
  type NewMessage,
  type Recorded,
  RESEND_KEEP_MS,
  type StoredMessage,
} from '../../src/core/journal.ts';
import { parseName } from '../../src/core/name.ts';
import { seedOf } from '../kit/random.ts';

export interface Opened {
  readonly journal: Journal;
  readonly everything: Everything;
}

/** A journal with nothing in it; `reopen` closes it and opens what it left. */
export interface Harness extends Opened {
  readonly reopen: () => Promise<Opened>;
}

const LIMIT = { timeout: 60_000 };
const MUCH = { limit: 1_000, maxBytes: 1_000_000 };
const [BOB, EVE, MAX] = [1, 2, 3];
const GUEST = -7;

export function aName(text: string) {
  const parsed = parseName(text);
  if ('refused' in parsed) throw new Error(`${text} is no name`);
  return parsed;
}

/** From bob to eve unless it says otherwise. */
export function aMessage(given: Partial<NewMessage> = {}): NewMessage {
  const base = { atMs: 1_000, from: BOB, fromName: aName('Bob').name, cast: 'singlecast', to: ['Eve'] } as const;
  return { ...base, text: 'hi', recipients: [EVE], ...given };
}

export function anAccount(id: number, name: string): Account {
  const rest = { role: 'member', kind: 'person', createdAtMs: 5, since: 0, delivered: 0 } as const;
  return { id, ...aName(name), ...rest, invitedBy: undefined, password: undefined, revokedAtMs: undefined };
}

export function append(journal: Journal, message: NewMessage): Promise<Appended> {
  return new Promise((resolve) => journal.append(message, resolve));
}

export function record(journal: Journal, ...changes: Change[]): Promise<Recorded> {
  return new Promise((resolve) => journal.record(changes, resolve));
}

function toAll(text: string, from = BOB): NewMessage {
  return aMessage({ from, cast: 'broadcast', to: ['all'], recipients: [], text });
}

function texts(messages: readonly StoredMessage[]): string[] {
  return messages.map(({ text }) => text);
}

export function journalContract(open: (t: TestContext) => Promise<Harness>): void {
  const holds = (promise: string, body: (harness: Harness, t: TestContext) => Promise<void>) => {
    void test(promise, LIMIT, async (t) => body(await open(t), t));
  };

  holds('nothing is answered before the call returns, and all in the order of the calls', async ({ journal }) => {
    const answered: number[] = [];
    const recorded: number[] = [];
    for (let at = 0; at < 300; at++) {
      if (at % 3 === 0) journal.append(aMessage(), () => answered.push(at));
      else if (at % 3 === 1) journal.settle(() => answered.push(at));
      else journal.record([], () => recorded.push(at));
    }
    assert.deepEqual([answered, recorded], [[], []]);
    await new Promise<void>((resolve) => journal.settle(resolve));
    await record(journal);
    const all = [...Array(300).keys()];
    assert.deepEqual(
      answered,
      all.filter((at) => at % 3 !== 2),
    );
    assert.deepEqual(
      recorded,
      all.filter((at) => at % 3 === 2),
    );
  });

  holds('settle alone is answered, and not before it returns', async ({ journal }) => {
    let isSettled = false;
    const settled = new Promise<void>((resolve) => {
      journal.settle(() => {
        isSettled = true;
        resolve();
      });
    });
    assert.equal(isSettled, false);
    await settled;
  });

  holds('ids are 1, 2, 3 in the order of the calls', async ({ journal }) => {
    const appended = await Promise.all([...Array(50).keys()].map((at) => append(journal, aMessage({ text: `${at}` }))));
    assert.deepEqual(
      appended,
      [...Array(50).keys()].map((at) => ({ result: 'new', id: at + 1 })),
    );
  });

  holds('a message that is sent again under its key within a day is the same', async ({ journal }) => {
    const first = aMessage({ resendKey: 'k' });
    const appended = await Promise.all([
      append(journal, first),
      append(journal, { ...first, atMs: 2_000 }),
      append(journal, { ...first, text: 'ho' }),
      append(journal, { ...first, to: ['Max'], recipients: [MAX] }),
      append(journal, { ...first, from: EVE }),
      append(journal, { ...first, resendKey: 'K' }),
      append(journal, { ...first, atMs: first.atMs + RESEND_KEEP_MS - 1 }),
    ]);
    assert.deepEqual(appended, [
      { result: 'new', id: 1 },
      { result: 'same', id: 1, atMs: 1_000 },
      { result: 'other', id: 1 },
      { result: 'other', id: 1 },
      { result: 'new', id: 2 },
      { result: 'new', id: 3 },
      { result: 'same', id: 1, atMs: 1_000 },
    ]);
  });

  holds('a key is forgotten a day after its first message, and then stands for the next', async ({ journal }) => {
    const first = aMessage({ resendKey: 'k' });
    const later = { ...first, atMs: first.atMs + RESEND_KEEP_MS, text: 'ho' };
    assert.deepEqual(await append(journal, first), { result: 'new', id: 1 });
    assert.deepEqual(await append(journal, later), { result: 'new', id: 2 });
    assert.deepEqual(await append(journal, { ...later, atMs: later.atMs + 1 }), {
      result: 'same',
      id: 2,
      atMs: later.atMs,
    });
  });

  holds('a resend key is known after the journal was opened again', async ({ journal, reopen }) => {
    await append(journal, aMessage({ resendKey: 'k' }));
    const again = await reopen();
    assert.deepEqual(await append(again.journal, aMessage({ resendKey: 'k' })), { result: 'same', id: 1, atMs: 1_000 });
  });

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

  holds('a list of changes happens whole or not at all', async ({ journal, reopen }) => {
    const bob = anAccount(BOB, 'Bob');
    assert.equal(await record(journal, { type: 'account-added', account: bob }), undefined);
    const answers = await Promise.all([
      record(
        journal,
        { type: 'account-added', account: anAccount(EVE, 'Eve') },
        { type: 'account-added', account: anAccount(MAX, 'BOB') },
      ),
      append(journal, aMessage()),
      record(journal, { type: 'delivered', account: BOB, upTo: 1 }),
      record(journal, { type: 'delivered', account: MAX, upTo: 1 }),
    ]);
    assert.equal(typeof answers[0]?.failed, 'string');
    assert.deepEqual(answers[1], { result: 'new', id: 1 });
    assert.equal(answers[2], undefined);
    assert.equal(typeof answers[3]?.failed, 'string');
    assert.deepEqual(journal.health, { state: 'ok' });
    const { everything } = await reopen();
    assert.deepEqual(everything.accounts, [{ ...bob, delivered: 1 }]);
  });

  holds('who there is, and every message, is found again', async ({ journal, everything, reopen }) => {
    assert.deepEqual(everything, { start: 1, head: 0, accounts: [], tokens: [], invites: [], groups: [] });
    const bob = { ...anAccount(BOB, 'Bob'), role: 'owner', password: 'scrypt', invitedBy: aName('Max').name } as const;
    const eve = { ...anAccount(EVE, 'Eve'), kind: 'bot' } as const;
    const token = { id: 9, account: EVE, label: 'laptop', hash: 'h', createdAtMs: 6 };
    const invite = {
      hash: 'i',
      ...aName('Web1'),
      role: 'member',
      kind: 'host',
      by: BOB,
      createdAtMs: 7,
      expiresAtMs: 8,
    } as const;
    const ops = { name: '#Ops', key: '#ops' };
    const tea = { name: '#tea', key: '#tea' };
    const recorded = await record(
      journal,
      { type: 'account-added', account: bob },
      { type: 'account-added', account: eve },
      { type: 'account-changed', account: { ...eve, revokedAtMs: 10, delivered: 4 } },
      { type: 'delivered', account: EVE, upTo: 3 },
      { type: 'token-added', token },
      { type: 'token-added', token: { ...token, id: 10, hash: 'g' } },
      { type: 'token-removed', id: 10 },
      { type: 'invite-added', invite },
      { type: 'invite-added', invite: { ...invite, hash: 'j' } },
      { type: 'invite-removed', hash: 'j' },
      { type: 'group-joined', group: ops, account: EVE },
      { type: 'group-joined', group: { name: '#OPS', key: '#ops' }, account: BOB },
      { type: 'group-joined', group: tea, account: BOB },
      { type: 'group-left', group: tea, account: BOB },
    );
    assert.equal(recorded, undefined);
    await append(journal, aMessage({ text: 'kept \u0000 é 🙂' }));
    const history = await journal.history({ member: EVE, since: 0, ...MUCH });
    const again = await reopen();
    assert.deepEqual(again.everything, {
      start: 2,
      head: 1,
      accounts: [bob, { ...eve, revokedAtMs: 10, delivered: 4 }],
      tokens: [token],
      invites: [invite],
      groups: [{ ...ops, members: [EVE, BOB] }],
    });
    assert.deepEqual(await again.journal.history({ member: EVE, since: 0, ...MUCH }), history);
    assert.equal(history.messages[0]?.text, 'kept \u0000 é 🙂');
    assert.deepEqual(await append(again.journal, aMessage()), { result: 'new', id: 2 });
  });

  holds('what was asked before a close is answered before it, and afterwards nothing is kept', async ({ journal }) => {
    const answered: string[] = [];
    journal.append(aMessage(), ({ result }) => answered.push(result));
    const feed = journal.feed({ member: EVE, since: 0, after: 0, upTo: 1, ...MUCH }).then(() => answered.push('feed'));
    await journal.close();
    await feed;
    assert.deepEqual(answered.toSorted(), ['feed', 'new']);
    assert.deepEqual(await append(journal, aMessage()), { result: 'failed', reason: 'the journal is closed' });
    await assert.rejects(journal.history({ member: EVE, since: 0, ...MUCH }), /closed$/);
    await journal.close();
  });
}
