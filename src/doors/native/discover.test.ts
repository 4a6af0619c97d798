// What the server says of itself is true: every method is in it, and every example of the specification fits it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { wrongIn } from '../../../test/kit/json-schema.ts';
import { aNativeHouse } from '../../../test/kit/native-house.ts';
import { METHODS } from '../../protocol/native/methods.ts';
import { isRecord, parseRpc, type RpcMessage } from '../../protocol/native/rpc.ts';
import { NOTIFICATIONS } from './discover.ts';
import { HANDLERS } from './handlers.ts';

const SPECIFICATION = readFileSync(`${import.meta.dirname}/../../../docs/protocol/native.md`, 'utf8');
const EXAMPLES: RpcMessage[] = [...SPECIFICATION.matchAll(/^[CS]: (\{.*\})$/gm)].map(([, json = '']) => parseRpc(json));
const TABLE = new Map(Object.entries(HANDLERS));

test('rpc.discover names every method, who may ask it, and what it takes and gives', async () => {
  await using house = await aNativeHouse('::1');
  const found = await (await house.talk()).ask('rpc.discover');
  assert.ok(isRecord(found) && Array.isArray(found['methods']));
  assert.equal(found['openrpc'], '1.3.2');
  const methods: readonly Record<string, unknown>[] = found['methods'];
  assert.deepEqual(methods.map(({ name }) => String(name)).sort(), Object.values(METHODS).sort());
  for (const { name, ...said } of methods) {
    const { method, needs } = TABLE.get(String(name)) ?? assert.fail(`${String(name)} is not in the table`);
    assert.equal(method.name, name);
    assert.equal(said['x-needs'], needs);
    assert.deepEqual(said['result'], { name: 'result', schema: JSON.parse(JSON.stringify(method.result)) });
  }
});

test('every method and notification has an example in the specification, and it fits', () => {
  const seen = new Set<string>();
  const asked = new Map<unknown, string>();
  for (const example of EXAMPLES) {
    switch (example.kind) {
      case 'request': {
        const { method } = TABLE.get(example.method) ?? assert.fail(`${example.method} is no method`);
        assert.equal(wrongIn(example.params ?? {}, method.params), undefined, example.method);
        assert.ok(!isBad(method.parseParams(example.params)), example.method);
        asked.set(example.id, example.method);
        break;
      }
      case 'answer': {
        const name = asked.get(example.id) ?? assert.fail(`nothing was asked as ${example.id}`);
        const { method } = TABLE.get(name) ?? assert.fail();
        assert.equal(wrongIn(example.result, method.result), undefined, name);
        assert.notEqual(method.parseResult(example.result), undefined, name);
        seen.add(name);
        break;
      }
      case 'notification': {
        const told = NOTIFICATIONS.find(({ name }) => name === example.method) ?? assert.fail(example.method);
        assert.equal(wrongIn(example.params, told.params), undefined, example.method);
        assert.notEqual(told.parse(example.params), undefined, example.method);
        seen.add(told.name);
        break;
      }
      case 'refusal':
      case 'invalid':
        assert.fail(JSON.stringify(example));
    }
  }
  assert.deepEqual([...seen].sort(), [...TABLE.keys(), ...NOTIFICATIONS.map(({ name }) => name)].sort());
});

test('a value that does not fit a schema is found', () => {
  const { params, result } = TABLE.get('chat.send')?.method ?? assert.fail();
  assert.equal(wrongIn({ to: ['a'] }, params), '$ lacks text');
  assert.equal(wrongIn({ to: [], text: '' }, params), '$.to.length');
  assert.equal(wrongIn({ to: [1], text: '' }, params), '$.to[0] is integer');
  assert.equal(wrongIn({ id: 1, at: 'now', to: {}, repeat: false }, result), '$.at is now');
});

function isBad(found: unknown): boolean {
  return isRecord(found) && 'bad' in found;
}
