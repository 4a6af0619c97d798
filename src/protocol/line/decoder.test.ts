import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { LineDecoder, MAX_LINE_BYTES, type LineInput } from './decoder.ts';

const encoder = new TextEncoder();
const overlong = (begins: string) => ({ malformed: 'overlong', begins }) as const;
const notUtf8 = (begins: string) => ({ malformed: 'not-utf8', begins }) as const;

function bytes(...parts: (string | number[])[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => Array.from(typeof part === 'string' ? encoder.encode(part) : part)));
}

function decode(chunks: readonly Uint8Array[]): LineInput[] {
  const decoder = new LineDecoder();
  return [...chunks.flatMap((chunk) => decoder.receive(chunk)), ...decoder.receiveEnd()];
}

/** Every cut in two, then byte by byte. */
function* everyChunking(whole: Uint8Array): Generator<Uint8Array[]> {
  for (let cut = 0; cut <= whole.length; cut++) yield [whole.subarray(0, cut), whole.subarray(cut)];
  yield Array.from(whole, (byte) => Uint8Array.of(byte));
}

const DIALOGUES: [name: string, sent: Uint8Array, read: LineInput[]][] = [
  ['LF and CRLF', bytes('Vamshi\r\nget_list\n\r\n\n'), ['Vamshi', 'get_list', '', '']],
  ['a last line without a line end', bytes('a\nquit'), ['a', 'quit']],
  ['a CR inside a line is text', bytes('a\rb\r\r\n'), ['a\rb\r']],
  ['text of any script', bytes('send all 🙄 naïve שלום\n'), ['send all 🙄 naïve שלום']],
  ['a byte order mark is text', bytes('\ufeffhi\n'), ['\ufeffhi']],
  ['telnet commands', bytes([0xff, 0xf4], 'ge', [0xff, 0xf1], 't_list\r\n'), ['get_list']],
  ['telnet options', bytes([0xff, 0xfb, 1], 'a', [0xff, 0xfd, 3], 'b', [0xff, 0xfe, 0xff], '\n'), ['ab']],
  ['telnet subnegotiation', bytes([0xff, 0xfa, 24, 0, 65, 0xff, 0xff, 66, 0xff, 0xf0], 'x\n'), ['x']],
  [
    'telnet sequences that are not complete',
    bytes([0xff, 0xfb], '\n', [0xff, 0xfa, 1], 'a\nok\n'),
    [notUtf8('\xff\xfb'), notUtf8('\xff\xfa\x01a'), 'ok'],
  ],
  ['an escaped 0xFF is not UTF-8', bytes('a', [0xff, 0xff], '\nok\n'), [notUtf8('a\xff\xff'), 'ok']],
  [
    'bytes that are not UTF-8, among lines that are',
    bytes('a\n', [0xc3, 0x28], '\nb\n', [0xed, 0xa0, 0x80], '\nc\n'),
    ['a', notUtf8('\xc3('), 'b', notUtf8('\xed\xa0\x80'), 'c'],
  ],
];

for (const [name, sent, read] of DIALOGUES) {
  test(`${name}: read alike at every chunking`, () => {
    for (const chunks of everyChunking(sent)) assert.deepEqual(decode(chunks), read);
  });
}

test('a line of exactly the longest length is read, one byte more is skipped, and the session goes on', () => {
  const longest = 'x'.repeat(MAX_LINE_BYTES);
  for (const end of ['\n', '\r\n']) {
    const sent = bytes(`${longest}${end}${longest}y${end}ok${end}`);
    for (const size of [97, 1000, 65_535, 65_536, 65_537, 65_538, sent.length]) {
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < sent.length; at += size) chunks.push(sent.subarray(at, at + size));
      const read = decode(chunks);
      assert.deepEqual(
        read.map((input) => (typeof input === 'string' ? input.length : input.malformed)),
        [MAX_LINE_BYTES, 'overlong', 2],
      );
    }
  }
});

test('the bound counts bytes, not characters', () => {
  const two = 'é'.repeat(MAX_LINE_BYTES / 2);
  assert.deepEqual(decode([bytes(`${two}\n${two}x\n`)]), [two, overlong('\xc3\xa9'.repeat(8))]);
});

test('an overlong line is answered once, however long it gets, and nothing of it is kept', () => {
  const decoder = new LineDecoder();
  const chunk = bytes('x'.repeat(50_000));
  const read = Array.from({ length: 100 }, () => decoder.receive(chunk)).flat();
  assert.deepEqual(read, [overlong('x'.repeat(16))]);
  assert.deepEqual(decoder.receive(bytes('x\nnext\n')), ['next']);
});

test('whatever comes, it reads alike whole, in two and byte by byte', () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 12 }),
    fc.string({ unit: 'binary', maxLength: 8 }).map((text) => bytes(text)),
    fc.constantFrom(bytes('\n'), bytes('\r\n'), bytes('\r'), bytes([0xff]), bytes([0xff, 0xfa]), bytes([0xff, 0xf0])),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const whole = Uint8Array.from(pieces.flatMap((part) => [...part]));
      const read = decode([whole]);
      for (const chunks of everyChunking(whole)) assert.deepEqual(decode(chunks), read);
      for (const input of read) if (typeof input === 'string') assert.ok(!input.includes('\n'));
    }),
    { numRuns: 60 },
  );
});

test('any list of lines comes back as it was sent', () => {
  const line = fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => text.replace(/[\r\n]/g, ' '));
  fc.assert(
    fc.property(fc.array(line), fc.constantFrom('\n', '\r\n'), fc.integer({ min: 1, max: 50 }), (lines, end, size) => {
      const whole = bytes(lines.map((text) => text + end).join(''));
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < whole.length; at += size) chunks.push(whole.subarray(at, at + size));
      assert.deepEqual(decode(chunks), lines);
    }),
  );
});
