import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { MAX_PIECE_LENGTH, OutputLines } from './output.ts';

const encoder = new TextEncoder();

function cut(chunks: readonly Uint8Array[]): string[] {
  const lines = new OutputLines();
  return [...chunks.flatMap((chunk) => lines.receive(chunk)), ...lines.receiveEnd()];
}

function whole(text: string | readonly number[]): Uint8Array {
  return typeof text === 'string' ? encoder.encode(text) : Uint8Array.from(text);
}

const TABLE: [name: string, bytes: string | readonly number[], lines: string[]][] = [
  ['nothing', '', []],
  ['lines', 'a\n b \n\nc\n', ['a', ' b ', '', 'c']],
  ['a last line without an end', 'a\nb', ['a', 'b']],
  ['CRLF, and a CR elsewhere', 'a\r\nb\rc\n\r\n', ['a', 'b\rc', '']],
  ['an end in CR is text', 'a\r', ['a\r']],
  ['characters of several bytes', 'é🙄\n', ['é🙄']],
  ['bytes that are not UTF-8', [0x61, 0xff, 0x0a, 0xc3], ['a\ufffd', '\ufffd']],
  ['a byte order mark is text', '\ufeffa\n', ['\ufeffa']],
  ['controls as they are: showing them is another’s task', '\x1b[31m\0\n', ['\x1b[31m\0']],
];

for (const [name, bytes, lines] of TABLE) {
  test(`${name}: cut alike at every chunking`, () => {
    const all = whole(bytes);
    assert.deepEqual(cut(Array.from(all, (byte) => Uint8Array.of(byte))), lines);
    for (let at = 0; at <= all.length; at++) assert.deepEqual(cut([all.subarray(0, at), all.subarray(at)]), lines);
  });
}

test('a line comes out as soon as its end is there, and not before', () => {
  const lines = new OutputLines();
  assert.deepEqual(lines.receive(whole('half')), []);
  assert.deepEqual(lines.receive(whole(' a line\nand')), ['half a line']);
  assert.deepEqual(lines.receiveEnd(), ['and']);
  assert.deepEqual(lines.receiveEnd(), []);
});

test('a line without an end is shown in pieces, with no more than one held', () => {
  const lines = new OutputLines();
  const chunk = whole('x'.repeat(10_000));
  let shown = 0;
  for (let n = 1; n <= 100; n++) {
    for (const piece of lines.receive(chunk)) {
      assert.equal(piece.length, MAX_PIECE_LENGTH);
      shown += piece.length;
    }
    assert.ok(n * chunk.length - shown <= MAX_PIECE_LENGTH);
  }
  assert.equal(shown + lines.receiveEnd().join('').length, 100 * chunk.length);
});

test('no character is lost or torn, however long its line is', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 30 }).map((text) => text.replace(/\r/g, ''));
  fc.assert(
    fc.property(fc.array(text), fc.integer({ min: 1, max: 7 }), (texts, size) => {
      const all = whole(texts.join('\n'));
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < all.length; at += size) chunks.push(all.subarray(at, at + size));
      assert.deepEqual(cut(chunks).join('\n'), texts.join('\n').replace(/\n$/, ''));
    }),
  );
});
