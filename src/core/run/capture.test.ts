import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { seedOf } from '../../../test/kit/random.ts';
import { Capture } from './capture.ts';

function aCapture(keptBytes: number): Capture {
  const hash = createHash('sha256');
  return new Capture({ update: (bytes) => hash.update(bytes), hex: () => hash.digest('hex') }, keptBytes);
}

function captured(keptBytes: number, chunks: readonly Uint8Array[]) {
  const capture = aCapture(keptBytes);
  for (const chunk of chunks) capture.add(chunk);
  return capture.finish();
}

test('however a stream is cut, its count, its digest, its first and its last bytes are those of the whole', (t) => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 });
  const property = fc.property(fc.integer({ min: 0, max: 64 }), chunks, (keptBytes, chunks) => {
    const whole = Buffer.concat(chunks);
    const { bytes, sha256, head, tail } = captured(keptBytes, chunks);
    assert.equal(bytes, whole.length);
    assert.equal(sha256, createHash('sha256').update(whole).digest('hex'));
    const kept = Buffer.concat([head, tail]);
    if (whole.length <= keptBytes) assert.deepEqual(kept, whole);
    else {
      assert.equal(kept.length, keptBytes);
      assert.deepEqual(Buffer.from(head), whole.subarray(0, Math.ceil(keptBytes / 2)));
      assert.deepEqual(Buffer.from(tail), whole.subarray(whole.length - Math.floor(keptBytes / 2)));
    }
  });
  fc.assert(property, { seed: seedOf(t), numRuns: 500 });
});

test('what passes may be written over afterwards', () => {
  const chunk = new Uint8Array([1, 2, 3, 4]);
  const capture = aCapture(8);
  capture.add(chunk);
  chunk.fill(9);
  capture.add(chunk);
  chunk.fill(0);
  const { head, tail } = capture.finish();
  assert.deepEqual([...head, ...tail], [1, 2, 3, 4, 9, 9, 9, 9]);
});
