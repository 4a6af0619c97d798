import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oldFrame, sealedFrame } from '../../test/kit/frames.ts';
import { HEAD_BYTES, isWhole, mayHaveKeys, messagesOf, nextFrame, readFrame, seedOf } from './frame.ts';
import type { PackedMessage } from './wire.ts';

const SEED = seedOf('a journal');
const MESSAGES: PackedMessage[] = [[1_000, 1, 'Bob', 'singlecast', ['Eve'], 'é 🙂 \u0000', [2]]];
const KEYED: PackedMessage[] = [[1_000, 1, 'Bob', 'broadcast', ['all'], 'once', [], ['key', 'digest']]];

for (const [form, frameOf] of [
  ['a frame', sealedFrame],
  ['a frame of an older program', oldFrame],
] as const) {
  test(`${form} is read as it was written, wherever it begins`, () => {
    const bytes = Buffer.concat([Buffer.from('before'), frameOf(2 ** 40, MESSAGES, SEED), Buffer.from('after')]);
    const frame = readFrame(bytes, 6, SEED);
    assert.ok(frame);
    assert.deepEqual([frame.first, frame.count, frame.end], [2 ** 40, 1, bytes.length - 5]);
    assert.deepEqual(messagesOf(frame), MESSAGES);
    assert.equal(nextFrame(bytes, 0, SEED)?.at, 6);
  });

  test(`${form} that was cut short, or changed in any bit, is none`, () => {
    const whole = frameOf(5, MESSAGES, SEED);
    for (let length = 0; length < whole.length; length++) {
      assert.equal(readFrame(whole.subarray(0, length), 0, SEED), undefined, `${length} bytes`);
    }
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const changed = Buffer.from(whole);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.equal(readFrame(changed, 0, SEED), undefined, `bit ${bit}`);
    }
  });

  test(`${form} of another journal is none, and whole all the same; zeros are neither`, () => {
    const bytes = frameOf(5, KEYED, seedOf('another'));
    assert.equal(readFrame(bytes, 0, SEED), undefined);
    assert.ok(isWhole(bytes));
    for (let from = 0; from < bytes.length - 1; from++) assert.ok(!isWhole(Buffer.from(bytes).fill(0, from)));
    assert.equal(readFrame(Buffer.alloc(HEAD_BYTES * 2), 0, SEED), undefined);
  });

  test(`of ${form} it is known whether a message may have a resend key`, () => {
    const [plain, keyed] = [MESSAGES, KEYED].map((messages) => readFrame(frameOf(1, messages, SEED), 0, SEED));
    assert.ok(plain && keyed);
    assert.deepEqual([mayHaveKeys(plain), mayHaveKeys(keyed)], [false, true]);
    assert.deepEqual(messagesOf(keyed), KEYED);
  });
}
