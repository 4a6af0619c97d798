import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { test } from 'node:test';
import type { LineInput } from '../../protocol/line/decoder.ts';
import { Intake, type LineReader } from './intake.ts';

class Reader implements LineReader {
  isBehind = false;
  readonly handled: LineInput[] = [];
  hasEnded = false;

  mustWait(): boolean {
    return false;
  }

  handle(input: LineInput): void {
    this.handled.push(input);
    if (input === 'behind') this.isBehind = true;
  }

  ended(): void {
    this.hasEnded = true;
  }
}

/** An intake whose socket is in the test's hands: `say` is what the peer sends. */
function anIntake(rate?: { perSecond: number; burst: number }) {
  const socket = new Socket();
  const reader = new Reader();
  const time = { nowMs: 0 };
  const intake = new Intake(socket, reader, { rate, clock: () => time.nowMs });
  const say = (text: string) => socket.emit('data', Buffer.from(text));
  return { socket, reader, intake, time, say };
}

test('lines are handled as they come, and at the end it says so', () => {
  const { socket, reader, intake, say } = anIntake();
  intake.open(Buffer.from('one\ntw'));
  say('o\nthree');
  socket.emit('end');
  socket.emit('end');
  assert.deepEqual(reader.handled, ['one', 'two', 'three']);
  assert.ok(reader.hasEnded);
});

test('behind a line whose answer cannot be written all wait, nothing is read, and the end is not seen early', () => {
  const { socket, reader, intake, say } = anIntake();
  intake.open(Buffer.from('one\nbehind\nthree\nfour\n'));
  say('five\n');
  socket.emit('end');
  assert.deepEqual(reader.handled, ['one', 'behind']);
  assert.ok(socket.isPaused());
  intake.goOn();
  assert.deepEqual(reader.handled, ['one', 'behind'], 'still behind');
  reader.isBehind = false;
  intake.goOn();
  assert.deepEqual(reader.handled, ['one', 'behind', 'three', 'four', 'five']);
  assert.ok(reader.hasEnded && !socket.isPaused());
});

test('a sender over its rate is read at its rate, and loses nothing', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { socket, reader, intake, time } = anIntake({ perSecond: 10, burst: 2 });
  intake.open(Buffer.from('1\n2\n3\n4\n5\n'));
  const advance = (ms: number) => {
    time.nowMs += ms;
    t.mock.timers.tick(ms);
  };
  assert.deepEqual(reader.handled, ['1', '2']);
  assert.ok(socket.isPaused());
  intake.goOn();
  assert.equal(reader.handled.length, 2, 'a drained outbox is no reason to hurry');
  advance(99);
  assert.equal(reader.handled.length, 2);
  advance(1);
  assert.deepEqual(reader.handled, ['1', '2', '3']);
  advance(100);
  advance(100);
  assert.deepEqual(reader.handled, ['1', '2', '3', '4', '5']);
  assert.ok(!socket.isPaused());
});

test('stopped, it handles nothing more and reads on', () => {
  const { socket, reader, intake, say } = anIntake({ perSecond: 1, burst: 1 });
  intake.open(Buffer.from('one\ntwo\n'));
  assert.ok(socket.isPaused());
  intake.stop();
  say('three\n');
  socket.emit('end');
  intake.goOn();
  assert.deepEqual(reader.handled, ['one']);
  assert.ok(!socket.isPaused() && !reader.hasEnded);
});
