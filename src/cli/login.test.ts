import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UnreachableError } from '../client/mod.ts';
import { endEarlier } from './login.ts';

const EARLIER = { name: 'bob', token: 'pl_x', label: 'laptop 1' };
const TOKENS = [
  { id: 3, label: 'laptop 1', since: '2026-11-22T20:00:00Z' },
  { id: 4, label: 'laptop 2', since: '2026-11-22T20:00:01Z' },
];

function aClient({ name = 'bob', tokens = TOKENS, remove = async (_id: number) => {} } = {}) {
  const removed: number[] = [];
  const removeToken = (id: number) => {
    removed.push(id);
    return remove(id);
  };
  return { removed, identity: { name, role: 'member' } as const, tokens: async () => tokens, removeToken };
}

test('of one’s tokens the one that was kept before ends, and no other', async () => {
  const client = aClient();
  assert.equal(await endEarlier(EARLIER, client), undefined);
  assert.deepEqual(client.removed, [3]);
});

test('what is somebody else’s, or has ended already, is left alone', async () => {
  for (const client of [aClient({ name: 'eve' }), aClient({ tokens: TOKENS.slice(1) })]) {
    assert.equal(await endEarlier(EARLIER, client), undefined);
    assert.deepEqual(client.removed, []);
  }
});

test('a token that could not be ended is told in one line, with what ends it', async () => {
  const remove = () => Promise.reject(new UnreachableError('The server went away: it closed the connection'));
  assert.equal(
    await endEarlier(EARLIER, aClient({ remove })),
    'The token that was kept here before still counts: The server went away: it closed the connection; ' +
      'partyline token remove 3 ends it',
  );
});
