// Lists in parts, as a server gives them, and as none should.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UnreachableError } from './errors.ts';
import { listHosts, listPresent, type AskList } from './pages.ts';
import { readResult } from './requests.ts';

/** A server that answers each question with the part of its number. */
function aServer(partAt: (index: number) => object) {
  const asked: object[] = [];
  const ask: AskList = (method, params) => Promise.resolve(readResult(method, partAt(asked.push(params) - 1)));
  return { ask, asked };
}

test('a list in parts is asked for to its end', async () => {
  const { ask, asked } = aServer((index) => ({ hosts: [], ...(index < 2 ? { next: `web${index}` } : {}) }));
  assert.deepEqual(await listHosts(ask), []);
  assert.deepEqual(asked, [{}, { after: 'web0' }, { after: 'web1' }]);
});

test('a server that does not go on is no end of the list', async () => {
  for (const next of ['web1', 'web0']) {
    const { ask, asked } = aServer((index) => ({ hosts: [], next: index === 0 ? 'web1' : next }));
    const message = 'Cannot read the whole answer to host.list: the server goes on at what it has given already';
    await assert.rejects(listHosts(ask), new UnreachableError(message));
    assert.equal(asked.length, 2);
  }
});

test('a server that always has more is asked a thousand times', async () => {
  const { ask, asked } = aServer((index) => ({ hosts: [], next: String(index).padStart(9, '0') }));
  const message = 'Cannot read the whole answer to host.list: it has more than 1000 parts';
  await assert.rejects(listHosts(ask), new UnreachableError(message));
  assert.equal(asked.length, 1_000);
});

test('who is here comes in order of arrival, whatever the parts, and who came at once in order of names', async () => {
  const one = (name: string, ms: number) => ({
    name,
    kind: 'person',
    since: `2026-01-02T03:04:05.00${ms}Z`,
    family: 'ipv6',
  });
  const parts = [{ members: [one('ann', 2), one('bob', 1)], next: 'bob' }, { members: [one('cy', 1), one('dan', 0)] }];
  const { ask } = aServer((index) => parts[index] ?? {});
  const names = (await listPresent(ask)).map(({ name }) => name);
  assert.deepEqual(names, ['dan', 'bob', 'cy', 'ann']);
});
