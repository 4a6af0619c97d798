import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_SHORT_BYTES, TurnBatch } from './turn-batch.ts';

/** Remembers what it was given: the very bytes, and what they said at that time. */
function aTarget(isDone = true) {
  const given: Uint8Array[] = [];
  const said: string[] = [];
  const send = (bytes: Uint8Array) => {
    given.push(bytes);
    said.push(Buffer.from(bytes).toString('latin1'));
    return isDone;
  };
  return { send, given, said };
}

const add = (batch: TurnBatch, target: ReturnType<typeof aTarget>, text: string) =>
  batch.add(target, Buffer.from(text, 'latin1'), text.length);

test('messages leave in order by the end of the turn, and the next turn begins anew', async () => {
  const batch = new TurnBatch();
  const [one, two] = [aTarget(), aTarget()];
  for (const turn of ['one', 'two']) {
    add(batch, one, `${turn} a`);
    add(batch, two, `${turn} b`);
    add(batch, one, `${turn} c`.padEnd(300, '.'));
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(one.said, ['one a', 'one c'.padEnd(300, '.'), 'two a', 'two c'.padEnd(300, '.')]);
  assert.deepEqual(two.said, ['one b', 'two b']);
  assert.equal(one.given[0], one.given[2], 'a view is used again for a message of the same size');
});

test('a batch that is full is written before the turn ends', () => {
  const long = aTarget();
  const batch = new TurnBatch();
  for (let i = 0; i < 17; i++) add(batch, long, 'x'.repeat(MAX_SHORT_BYTES));
  assert.equal(long.said.length, 16);
  const short = aTarget();
  for (let i = 0; i < 1_024; i++) add(batch, short, String(i));
  assert.equal(long.said.length, 17);
  batch.flush();
  assert.deepEqual(
    short.said,
    Array.from({ length: 1_024 }, (_, i) => String(i)),
  );
});

test('a turn is written in about four parts, judged by the turn before', async () => {
  const batch = new TurnBatch();
  for (const writtenEarly of [96, 75, 75]) {
    const target = aTarget();
    for (let i = 0; i < 100; i++) add(batch, target, 'x');
    assert.equal(target.said.length, writtenEarly);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(target.said.length, 100);
  }
});

test('memory that a write still needs is not used again', () => {
  const slow = aTarget(false);
  const batch = new TurnBatch();
  add(batch, slow, 'kept');
  batch.flush();
  add(batch, aTarget(), 'over');
  batch.flush();
  assert.equal(Buffer.from(slow.given[0] ?? []).toString(), 'kept');
});
