import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import vectors from '../../../test/vectors/native.json' with { type: 'json' };
import { canonicalJson } from './canonical.ts';

test('the same value is one text, in whatever order its fields were written', () => {
  const one = { b: [1, { d: 'x', c: null }], a: true };
  assert.equal(canonicalJson(one), '{"a":true,"b":[1,{"c":null,"d":"x"}]}');
  assert.equal(canonicalJson({ a: true, b: [1, { c: null, d: 'x' }] }), canonicalJson(one));
  assert.equal(canonicalJson({ a: undefined, b: 1 }), '{"b":1}');
});

test('names are ordered by their UTF-16 units and texts escaped as RFC 8785 has them', () => {
  // The example of RFC 8785 3.2.3.
  const names = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 };
  const order = Array.from(canonicalJson(names).matchAll(/:(\d)/g), ([, value]) => value);
  assert.equal(order.join(''), '2467153');
  assert.equal(canonicalJson('\u20ac$\u000f\nA\'B"\\'), '"\u20ac$\\u000f\\nA\'B\\"\\\\"');
});

test('the vectors of requests have this text and this digest', () => {
  for (const { what, asked, canonical, hash } of vectors.approvals) {
    assert.equal(canonicalJson(asked), canonical, what);
    assert.equal(createHash('sha256').update(canonical).digest('hex'), hash, what);
  }
});
