// The wire's frames against the vectors that docs/protocol/native.md shows, in every chunking, and against garbage.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as fc from 'fast-check';
import vectors from '../../../test/vectors/native.json' with { type: 'json' };
import { FrameDecoder } from './decoder.ts';
import { formatFrame, HEADER_BYTES, parseFrame, type Frame, type Malformed } from './frame.ts';
import { MAX_CONTROL_BYTES, MAX_DATA_BYTES } from './limits.ts';

const SPECIFICATION = readFileSync(`${import.meta.dirname}/../../../docs/protocol/native.md`, 'utf8');
const bytesOf = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));
const hexOf = (pieces: readonly Uint8Array[]) => Buffer.concat(pieces).toString('hex');
/** Plain values: a payload may be any view of bytes. */
const plain = (frame: Frame | Malformed) =>
  frame.kind === 'data' ? { ...frame, bytes: Buffer.from(frame.bytes).toString('hex') } : frame;

/** Pieces of one DATA frame, put together again. */
type Plain = ReturnType<typeof plain>;
function joined(frames: readonly Plain[]): Plain[] {
  const whole: Plain[] = [];
  for (const frame of frames) {
    const last = whole.at(-1);
    if (frame.kind !== 'data' || last?.kind !== 'data' || last.stream !== frame.stream) whole.push(frame);
    else whole[whole.length - 1] = { ...last, bytes: `${last.bytes}${frame.bytes}` };
  }
  return whole;
}

function decode(chunks: Iterable<Uint8Array>, maxControlBytes = MAX_CONTROL_BYTES) {
  const decoder = new FrameDecoder(maxControlBytes);
  const frames = [];
  for (const chunk of chunks) {
    decoder.receive(chunk);
    for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) {
      frames.push(plain(frame));
      if (frame.kind === 'malformed') return frames;
    }
  }
  return frames;
}

/** Whole, every cut in two, and byte by byte. */
function* everyChunking(bytes: Uint8Array): Generator<Uint8Array[]> {
  yield [bytes];
  for (let at = 1; at < bytes.length; at++) yield [bytes.subarray(0, at), bytes.subarray(at)];
  yield Array.from(bytes, (byte) => Uint8Array.of(byte));
}

test('each frame of the vectors is written and read as they say, and the specification shows it', () => {
  for (const { what, hex, frame } of vectors.frames) {
    assert.deepEqual(plain(parseFrame(bytesOf(hex))), frame, what);
    const read = parseFrame(bytesOf(hex));
    assert.ok(read.kind !== 'malformed');
    assert.equal(hexOf(formatFrame(read)), hex, what);
    assert.ok(SPECIFICATION.includes(hex), `the specification lacks ${hex}: ${what}`);
  }
});

test('every malformed frame is refused for its reason, and nothing is read after it', () => {
  for (const { what, hex, reason } of vectors.malformed) {
    const bytes = bytesOf(`${hex}${vectors.frames[2]?.hex}`);
    for (const chunks of everyChunking(bytes)) {
      assert.deepEqual(decode(chunks), [{ kind: 'malformed', reason }], what);
    }
  }
});

test('frames come out the same however the stream is cut', () => {
  const bytes = bytesOf(vectors.frames.map(({ hex }) => hex).join(''));
  const expected = vectors.frames.map(({ frame }) => frame);
  for (const chunks of everyChunking(bytes)) assert.deepEqual(joined(decode(chunks)), expected);
});

test('the longest DATA is read, from one chunk or from two, and its payload is not copied on the way out', () => {
  const bytes = new Uint8Array(MAX_DATA_BYTES).fill(7);
  const pieces = formatFrame({ kind: 'data', stream: 1, bytes });
  assert.equal(pieces[1], bytes);
  const whole = new Uint8Array(Buffer.concat(pieces));
  for (const at of [3, HEADER_BYTES, 40_000]) {
    const [frame] = joined(decode([whole.subarray(0, at), whole.subarray(at)]));
    assert.deepEqual(frame, { kind: 'data', stream: 1, bytes: Buffer.from(bytes).toString('hex') });
  }
});

test('what has come of a DATA frame is handed on at once, as it is, and the rest as it comes', () => {
  const decoder = new FrameDecoder(MAX_CONTROL_BYTES);
  const [header, payload] = formatFrame({ kind: 'data', stream: 3, bytes: new Uint8Array(5_000).fill(1) });
  assert.ok(header !== undefined && payload !== undefined);
  decoder.receive(header);
  assert.equal(decoder.next(), undefined);
  for (const piece of [payload.subarray(0, 4_000), payload.subarray(4_000)]) {
    decoder.receive(piece);
    const frame = decoder.next();
    assert.ok(frame?.kind === 'data');
    assert.deepEqual([frame.stream, frame.bytes.buffer, frame.bytes.length], [3, payload.buffer, piece.length]);
    assert.equal(decoder.next(), undefined);
  }
  decoder.receive(new Uint8Array(Buffer.concat(formatFrame({ kind: 'end', stream: 3 }))));
  assert.deepEqual(decoder.next(), { kind: 'end', stream: 3 });
});

test('before the other end has shown who it is a CONTROL is short, afterwards it may be long', () => {
  const long = Buffer.concat(formatFrame({ kind: 'control', text: 'x'.repeat(5_000) }));
  const reason = 'control with 5000 bytes of payload where 4096 are the most';
  assert.deepEqual(decode([long], 4_096), [{ kind: 'malformed', reason }]);
  const decoder = new FrameDecoder(4_096);
  decoder.maxControlBytes = MAX_CONTROL_BYTES;
  decoder.receive(long);
  assert.equal(decoder.next()?.kind, 'control');
});

test('a message that keeps frames apart holds exactly one', () => {
  assert.equal(parseFrame(bytesOf('00000003000000')).kind, 'malformed');
  assert.equal(parseFrame(bytesOf(`${vectors.frames[2]?.hex}00`)).kind, 'malformed');
  assert.equal(parseFrame(bytesOf('00000302000000036869')).kind, 'malformed');
});

test('property: any bytes, whole or byte by byte, give the same frames and never throw', () => {
  const header = fc
    .tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 5 }))
    .chain(([length, kind, stream]) =>
      fc
        .uint8Array({ minLength: length, maxLength: length })
        .map((payload) => Uint8Array.of(0, 0, length, kind, 0, 0, 0, stream, ...payload)),
    );
  const stream = fc.array(fc.oneof({ weight: 4, arbitrary: header }, { weight: 1, arbitrary: fc.uint8Array() }));
  fc.assert(
    fc.property(stream, (pieces) => {
      const bytes = new Uint8Array(Buffer.concat(pieces));
      const apart = decode(Array.from(bytes, (byte) => Uint8Array.of(byte)));
      assert.deepEqual(joined(apart), joined(decode([bytes])));
    }),
    { numRuns: 500 },
  );
});
