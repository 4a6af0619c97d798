// JSON-RPC messages: read, written, and refused as the specification says.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import vectors from '../../../test/vectors/native.json' with { type: 'json' };
import { formatRpc, parseRpc, RPC_CODES, rpcError, type RpcMessage } from './rpc.ts';

test('what is no message is answered with the code and the id that the vectors say', () => {
  for (const { text, id, code } of vectors.messages.invalid) {
    const message = parseRpc(text);
    assert.ok(message.kind === 'invalid', text);
    assert.deepEqual([message.id, message.error.code], [id, code], text);
  }
});

test('every kind of message is read as it was written', () => {
  const messages: Exclude<RpcMessage, { kind: 'invalid' }>[] = [
    { kind: 'request', id: 1, method: 'a', params: { b: 'ü' } },
    { kind: 'request', id: 'x', method: 'a', params: [1] },
    { kind: 'notification', method: 'a', params: {} },
    { kind: 'answer', id: 1, result: { b: [null] } },
    { kind: 'refusal', id: null, error: { code: RPC_CODES.parse, message: 'm' } },
    { kind: 'refusal', id: 3, error: rpcError('refused', 'not-allowed', 'm') },
    { kind: 'refusal', id: 3, error: rpcError('refused', { code: 'too-many-wrong', waitMs: 20_000 }, 'm') },
  ];
  for (const message of messages) assert.deepEqual(parseRpc(formatRpc(message)), message);
});

test('what was not written is not found, whatever objects inherit', () => {
  assert.deepEqual(parseRpc('{"__proto__":{"method":"ping"},"jsonrpc":"2.0","id":1}').kind, 'invalid');
  const message = parseRpc('{"jsonrpc":"2.0","id":1,"method":"ping","params":{"__proto__":1}}');
  assert.equal(message.kind, 'request');
});

test('property: no text makes the reader throw', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseRpc(text)));
  assert.equal(parseRpc('['.repeat(500_000)).kind, 'invalid');
});
