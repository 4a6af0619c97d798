import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random, seedOf } from '../../../test/kit/random.ts';
import { LineCutter } from './line-cutter.ts';

function linesOf(chunks: readonly Uint8Array[], maxLength = 8): string[] {
  const cutter = new LineCutter(maxLength);
  return [...chunks.flatMap((chunk) => cutter.receive(chunk)), ...cutter.end()];
}

const TABLE: [name: string, bytes: string | readonly number[], lines: string[]][] = [
  ['nothing', '', []],
  ['lines', 'a\n b \n\nc\n', ['a', ' b ', '', 'c']],
  ['a last line without an end', 'a\nb', ['a', 'b']],
  ['CRLF, and a CR elsewhere', 'a\r\nb\rc\n\r\n', ['a', 'b\rc', '']],
  ['a line of the greatest length', '12345678\n', ['12345678']],
  ['the same before CRLF', '12345678\r\n', ['12345678']],
  ['a longer line', '123456789\nx', ['12345678…', '9', 'x']],
  ['a longer line before CRLF', '12345678\r\r\n', ['12345678…', '\r']],
  ['a much longer one without an end', '1234567812345678x', ['12345678…', '12345678…', 'x']],
  ['a character of two units where the cut would be', '1234567🙄8\n', ['1234567…', '🙄8']],
  ['bytes that are not UTF-8', [0x61, 0xff, 0x0a, 0xc3], ['a\ufffd', '\ufffd']],
  ['controls as they are: showing them is another’s task', '\x1b[31m\0\n', ['\x1b[31m\0']],
];

for (const [name, given, lines] of TABLE) {
  test(`${name}: cut alike at every chunking`, () => {
    const all = typeof given === 'string' ? new TextEncoder().encode(given) : Uint8Array.from(given);
    assert.deepEqual(linesOf(Array.from(all, (byte) => Uint8Array.of(byte))), lines);
    for (let at = 0; at <= all.length; at++) assert.deepEqual(linesOf([all.subarray(0, at), all.subarray(at)]), lines);
  });
}

test('no more than one piece is held, and that can be had', () => {
  const cutter = new LineCutter(100);
  for (let at = 0; at < 50; at++) {
    cutter.receive(new TextEncoder().encode('x'.repeat(7)));
    assert.ok(cutter.heldLength <= 100);
  }
  const { heldLength } = cutter;
  assert.deepEqual(cutter.cut(), [`${'x'.repeat(heldLength)}…`]);
  assert.deepEqual([cutter.heldLength, ...cutter.cut()], [0]);
});

test('any bytes in any chunks give the lines that they give whole', (t) => {
  const random = new Random(seedOf(t));
  for (let round = 0; round < 3_000; round++) {
    const all = Uint8Array.from({ length: random.int(60) }, () =>
      random.pick([10, 13, 97, 98, 0xc3, 0xa9, 0xf0, 0x9f]),
    );
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < all.length;) chunks.push(all.subarray(at, (at += 1 + random.int(9))));
    assert.deepEqual(linesOf(chunks), linesOf([all]));
  }
});
