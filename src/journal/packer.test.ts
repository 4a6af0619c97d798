import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random, seedOf } from '../../test/kit/random.ts';
import type { NewMessage } from '../core/journal.ts';
import { parseName } from '../core/name.ts';
import { HEAD_BYTES } from './frame.ts';
import { unpack } from './packed.ts';
import { Packer } from './packer.ts';
import type { PackedMessage, Resend } from './wire.ts';

const CASTS = ['singlecast', 'multicast', 'broadcast'] as const;
const NAMES = ['Bob', 'Ève', '鈴木_1', `${'é'.repeat(12)}.x`, 'a'.repeat(24), 'a'.repeat(25)] as const;
const TEXTS = ['', 'hello', '"\\ \u0000\n\u001b', 'é 🙂 \u2028', 'x'.repeat(3_000), '🙂'.repeat(500)] as const;
const NUMBERS = [0, 1, -4_294_967_297, 2 ** 40, Number.MAX_SAFE_INTEGER, 1_700_000_000_123] as const;

function aName(text: string) {
  const parsed = parseName(text);
  assert.ok(!('refused' in parsed), text);
  return parsed.name;
}

function some(random: Random): { message: NewMessage; resend: Resend | undefined } {
  const pick = <Item>(from: readonly [Item, ...Item[]]) => random.pick(from);
  const several = <Item>(from: readonly [Item, ...Item[]]) => Array.from({ length: random.int(4) }, () => pick(from));
  const message = {
    atMs: pick(NUMBERS),
    from: pick(NUMBERS),
    fromName: aName(pick(NAMES)),
    cast: pick(CASTS),
    to: several(NAMES),
    text: several(TEXTS).join(''),
    recipients: several(NUMBERS),
  };
  return { message, resend: random.int(2) === 0 ? undefined : [pick(TEXTS), pick(NAMES)] };
}

function listOf({ atMs, from, fromName, cast, to, text, recipients }: NewMessage, resend?: Resend): PackedMessage {
  const list = [atMs, from, fromName, cast, to, text, recipients] as const;
  return resend === undefined ? list : [...list, resend];
}

test('what is packed is unpacked as it was, frame after frame', (t) => {
  const seed = seedOf(t);
  const random = new Random(seed);
  const packer = new Packer();
  for (let frame = 0; frame < 30; frame++) {
    const added = Array.from({ length: random.int(40) }, () => some(random));
    for (const { message, resend } of added) packer.add(message, resend);
    assert.equal(packer.count, added.length);
    const { count, keyed, bytes } = packer.take();
    assert.equal(count, added.length);
    assert.equal(keyed, added.filter(({ resend }) => resend !== undefined).length);
    assert.deepEqual(
      unpack(bytes.subarray(HEAD_BYTES), count),
      added.map(({ message, resend }) => listOf(message, resend)),
    );
  }
});

const SAID: NewMessage = {
  atMs: 1,
  from: 2,
  fromName: aName('Bob'),
  cast: 'broadcast',
  to: ['all'],
  text: '',
  recipients: [],
};

test('a frame grows with what it has, and the next one is small again', () => {
  const packer = new Packer();
  const texts = ['short', 'é'.repeat(400_000), '🙂'.repeat(400_000), 'short again'];
  for (const text of texts) packer.add({ ...SAID, text }, undefined);
  const { bytes } = packer.take();
  assert.deepEqual(
    unpack(bytes.subarray(HEAD_BYTES), 4).map(([, , , , , text]) => text),
    texts,
  );
  packer.add(SAID, undefined);
  assert.notEqual(packer.take().bytes.buffer, bytes.buffer);
});

test('half of a surrogate pair is kept as U+FFFD, as the database would', () => {
  const packer = new Packer();
  packer.add({ ...SAID, text: `\ud83d alone ${'x'.repeat(30)} \ude42` }, undefined);
  const [message] = unpack(packer.take().bytes.subarray(HEAD_BYTES), 1);
  assert.equal(message?.[5], `\ufffd alone ${'x'.repeat(30)} \ufffd`);
});

test('bytes that are something else are not taken for messages', () => {
  const packer = new Packer();
  packer.add({ ...SAID, text: 'hello', recipients: [3] }, ['key', 'digest']);
  const bytes = Buffer.from(packer.take().bytes.subarray(HEAD_BYTES));
  for (let length = 0; length < bytes.length; length++) assert.throws(() => unpack(bytes.subarray(0, length), 1));
  assert.throws(() => unpack(Buffer.concat([bytes, Buffer.alloc(1)]), 1), /something else follows/);
  assert.throws(() => unpack(Buffer.from(bytes).fill(3, 16, 17), 1), /no such cast/);
});
