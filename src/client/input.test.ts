// What a command reads, as the program that runs it writes it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settled } from '../../test/kit/clock.ts';
import { aRunHouse } from '../../test/kit/run-house.ts';
import { BrokenPipeError, RefusedError } from './errors.ts';

test('a write waits for room, writes keep their order, and an end comes after them', async () => {
  const { wire, run } = aRunHouse();
  const { stdin } = run({ command: 'cat', stdin: true });
  const { stdin: stream } = wire.streamsOf(0);
  wire.isFull = true;
  let isThrough = false;
  const first = stdin.write('one ').then(() => (isThrough = true));
  const second = stdin.write(Buffer.from('two'));
  stdin.end();
  await settled();
  assert.deepEqual([isThrough, wire.written.get(stream), wire.ended.has(stream)], [false, 'one ', false]);
  wire.isFull = false;
  wire.tell({ type: 'drain', stream });
  await Promise.all([first, second]);
  await settled();
  assert.deepEqual([wire.written.get(stream), wire.ended.has(stream)], ['one two', true]);
  await assert.rejects(stdin.write('three'), TypeError);
});

test('a command that takes no more input breaks the pipe of whoever writes', async () => {
  const { wire, run } = aRunHouse();
  const { stdin } = run({ command: 'head -1', stdin: true });
  const { stdin: stream } = wire.streamsOf(0);
  wire.isFull = true;
  const written = stdin.write('one');
  await settled();
  wire.tell({ type: 'reset', stream });
  await assert.rejects(written, BrokenPipeError);
  await assert.rejects(stdin.write('two'), BrokenPipeError);
});

test('whoever writes on without waiting is refused at last', async () => {
  const { run } = aRunHouse({ isConnected: false });
  const { stdin } = run({ command: 'cat', stdin: true });
  for (let count = 0; count < 10_000; count++) void stdin.write('x').catch(() => {});
  await assert.rejects(stdin.write('x'), RefusedError);
});

test('input that is given is passed on with its end; where it fails the command is ended, and why is said', async () => {
  const { wire, run } = aRunHouse();
  run({ command: 'cat', stdin: 'all of it' });
  run({ command: 'cat' });
  const pieces = async function* () {
    yield 'one ';
    yield await Promise.resolve('two');
    throw new Error('the disk is gone');
  };
  const { result } = run({ command: 'cat', stdin: pieces() });
  wire.answer(2, { run: 3 });
  await settled();
  const streams = [0, 1, 2].map((index) => wire.streamsOf(index).stdin);
  assert.deepEqual(
    streams.map((stream) => [wire.written.get(stream), wire.ended.has(stream)]),
    [
      ['all of it', true],
      [undefined, true],
      ['one two', false],
    ],
  );
  wire.finish({ run: 3, result: 'cancelled', status: 143 });
  assert.deepEqual(await result, { result: 'cancelled', status: 143, reason: 'its input failed: the disk is gone' });
});
