import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeChat, StillWorld } from '../../test/kit/fake-chat.ts';
import { Client } from './client.ts';
import type { HistoryWishes } from './history.ts';

async function idsOf(count: number, wishes: HistoryWishes) {
  const server = new FakeChat();
  for (let at = 0; at < count; at++) server.say(`${at + 1}`);
  const world = new StillWorld();
  await using client = await Client.open({
    transport: server.transport,
    credential: { token: 'x' },
    reconnect: {},
    world,
  });
  const ids: number[] = [];
  for await (const { id } of client.history(wishes)) ids.push(id);
  return { ids, asked: server.asked.filter(({ method }) => method === 'chat.history').length };
}

const from = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, at) => first + at);

for (const [what, wishes, first, last] of [
  ['all of it', {}, 1, 4_321],
  ['everything after a message', { after: 1_234 }, 1_235, 4_321],
  ['the oldest after a message', { after: 10, limit: 2_500 }, 11, 2_510],
  ['what lies between two messages', { after: 10, before: 1_500 }, 11, 1_499],
  ['the newest few', { limit: 5 }, 4_317, 4_321],
  ['the newest of more than three pages', { limit: 3_500 }, 822, 4_321],
  ['the newest before a message', { limit: 2_001, before: 3_000 }, 999, 2_999],
  ['more than there is', { limit: 100_000 }, 1, 4_321],
] as const) {
  test(`history, oldest first, each message once: ${what}`, async () => {
    assert.deepEqual((await idsOf(4_321, wishes)).ids, from(first, last));
  });
}

test('an empty history is empty, and one page takes one question', async () => {
  assert.deepEqual(await idsOf(0, { limit: 20 }), { ids: [], asked: 1 });
  assert.deepEqual(await idsOf(20, { limit: 20 }), { ids: from(1, 20), asked: 1 });
});
