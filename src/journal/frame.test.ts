import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boundOf, HEAD_BYTES, messagesOf, readFrame, seedOf, writeFrame } from './frame.ts';

const SEED = seedOf('a journal');
const MESSAGES = [[1_000, 1, 'Bob', 'singlecast', ['Eve'], 'é 🙂 \u0000', [2]]];

function aFrame(first = 5): Buffer {
  const json = JSON.stringify(MESSAGES);
  const buffer = Buffer.alloc(boundOf(json));
  return buffer.subarray(0, writeFrame(buffer, { first, count: 1, json, seed: SEED }));
}

test('a frame is read as it was written, wherever it begins', () => {
  const bytes = Buffer.concat([Buffer.from('before'), aFrame(2 ** 40), Buffer.from('after')]);
  const frame = readFrame(bytes, 6, SEED);
  assert.ok(frame);
  assert.deepEqual([frame.first, frame.count, frame.end], [2 ** 40, 1, bytes.length - 5]);
  assert.deepEqual(messagesOf(frame), MESSAGES);
});

test('a frame that was cut short, or changed in any bit, is none', () => {
  const whole = aFrame();
  for (let length = 0; length < whole.length; length++) {
    assert.equal(readFrame(whole.subarray(0, length), 0, SEED), undefined, `${length} bytes`);
  }
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const changed = Buffer.from(whole);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.equal(readFrame(changed, 0, SEED), undefined, `bit ${bit}`);
  }
});

test('a frame of another journal is none, and zeros are none', () => {
  assert.equal(readFrame(aFrame(), 0, seedOf('another')), undefined);
  assert.equal(readFrame(Buffer.alloc(HEAD_BYTES * 2), 0, SEED), undefined);
});
