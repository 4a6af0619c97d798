import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aMessage, append } from '../../test/contracts/journal.ts';
import { aHeldJournal } from '../../test/kit/held-journal.ts';

const LIMIT = { timeout: 30_000 };
const ALL = { member: 2, since: 0, limit: 1_000, maxBytes: 1e6 };

test('who is far behind reads on while the database has not got through the log', LIMIT, async (t) => {
  const { journal, hold, letGo } = await aHeldJournal(t);
  const feed = async (after: number) => {
    const { messages, cursor, behind } = await journal.feed({ ...ALL, after, upTo: 6, isCounting: true });
    return [messages.map(({ text }) => text).join(' '), cursor, behind];
  };
  for (const text of ['one', 'two', 'three']) await append(journal, aMessage({ text }));
  await journal.history(ALL);
  hold();
  await append(journal, aMessage({ text: 'for another', recipients: [3] }));
  for (const text of ['five', 'six']) await append(journal, aMessage({ text }));
  assert.deepEqual(await feed(0), ['one two three', 3, undefined]);
  assert.deepEqual(await feed(1), ['two three', 3, undefined]);
  const rest = feed(3);
  letGo();
  assert.deepEqual(await rest, ['five six', 6, 2]);
});
