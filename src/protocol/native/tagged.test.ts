// Two outputs in one stream, in whatever pieces it comes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import vectors from '../../../test/vectors/native.json' with { type: 'json' };
import { encodePosition, TaggedDecoder, taggedHeader, type Tagged } from './tagged.ts';

const text = (of: string) => new TextEncoder().encode(of);
const STREAM = Buffer.concat([
  encodePosition(2 ** 40),
  taggedHeader('stdout', 5),
  text('hello'),
  taggedHeader('stderr', 0),
  taggedHeader('stderr', 2),
  text('oh'),
  encodePosition(2 ** 53 - 1),
  taggedHeader('stdout', 1),
  text('!'),
]);

/** Pieces of one output joined, where nothing came between them. */
function joined(found: readonly Tagged[]): unknown[] {
  const all: { type: string; is: string }[] = [];
  for (const one of found) {
    const last = all.at(-1);
    if (one.type === 'position') all.push({ type: one.type, is: String(one.at) });
    else if (last?.type === one.type) last.is += Buffer.from(one.bytes).toString();
    else all.push({ type: one.type, is: Buffer.from(one.bytes).toString() });
  }
  return all.map(({ type, is }) => [type, is]);
}

test('however the bytes are cut, outputs and positions come in their order', () => {
  for (let size = 1; size <= STREAM.length; size++) {
    const decoder = new TaggedDecoder();
    const found: Tagged[] = [];
    for (let at = 0; at < STREAM.length; at += size)
      found.push(...(decoder.receive(STREAM.subarray(at, at + size)) ?? []));
    assert.deepEqual(
      joined(found),
      [
        ['position', String(2 ** 40)],
        ['stdout', 'hello'],
        ['stderr', 'oh'],
        ['position', String(2 ** 53 - 1)],
        ['stdout', '!'],
      ],
      `in pieces of ${size}`,
    );
  }
});

test('the bytes are those of the vectors, either way', () => {
  for (const { hex, pieces } of vectors.tagged) {
    const found = new TaggedDecoder().receive(Buffer.from(hex, 'hex')) ?? [];
    const shown = found.map((one) => ('at' in one ? one : { ...one, bytes: Buffer.from(one.bytes).toString('hex') }));
    assert.deepEqual(shown, pieces);
    const encoded = found.flatMap((one) =>
      'at' in one ? [encodePosition(one.at)] : [taggedHeader(one.type, one.bytes.length), one.bytes],
    );
    assert.equal(Buffer.concat(encoded).toString('hex'), hex);
  }
});

test('what is no such stream is said once and for all', () => {
  for (const wrong of [Uint8Array.of(3, 0, 0, 0, 1, 65), Uint8Array.of(0, 0, 0, 0, 7, 1, 2, 3, 4, 5, 6, 7)]) {
    const decoder = new TaggedDecoder();
    assert.equal(decoder.receive(wrong), undefined);
    assert.equal(decoder.receive(taggedHeader('stdout', 1)), undefined);
  }
});
