// Text is cut between characters only, and bytes that are none come back as bytes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Utf8Pieces, type Piece } from './utf8.ts';

function cut(chunks: Iterable<Uint8Array>): Piece[] {
  const pieces = new Utf8Pieces();
  const all = Array.from(chunks, (chunk) => pieces.push(chunk));
  return [...all, pieces.end()].filter((piece) => piece !== undefined);
}

const bytesOf = (pieces: readonly Piece[]) =>
  Buffer.concat(pieces.map((piece) => ('text' in piece ? Buffer.from(piece.text) : piece.bytes)));

test('a character that comes in two chunks comes out whole, wherever it is cut', () => {
  const bytes = Buffer.from('aé€😀\ufeffz');
  for (let at = 1; at < bytes.length; at++) {
    const pieces = cut([bytes.subarray(0, at), bytes.subarray(at)]);
    assert.equal(pieces.map((piece) => ('text' in piece ? piece.text : '?')).join(''), 'aé€😀\ufeffz');
  }
});

test('what is no UTF-8 stays bytes, and a beginning without an end does too', () => {
  assert.deepEqual(cut([Uint8Array.of(0x61), Uint8Array.of(0xff, 0x62)]), [
    { text: 'a' },
    { bytes: Uint8Array.of(0xff, 0x62) },
  ]);
  assert.deepEqual(cut([Uint8Array.of(0x61, 0xe2, 0x82)]), [{ text: 'a' }, { bytes: Uint8Array.of(0xe2, 0x82) }]);
});

test('property: no byte is lost or changed, and UTF-8 always comes out as text', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 6 })), (chunks) => {
      assert.deepEqual(bytesOf(cut(chunks)), Buffer.concat(chunks));
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 5 }), (text, size) => {
      const bytes = Buffer.from(text);
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
        bytes.subarray(index * size, (index + 1) * size),
      );
      const pieces = cut(chunks);
      assert.ok(pieces.every((piece) => 'text' in piece));
      assert.equal(bytesOf(pieces).toString(), text);
    }),
  );
});
