// The pump, on a carrier that takes as much as it is told to.

import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { NativeLink, type LinkEvent } from './link.ts';
import { formatServerPreface } from './preface.ts';
import { Pump, type Carrier } from './pump.ts';

class StalledCarrier implements Carrier {
  readonly writableHighWaterMark = 65_536;
  writableLength = 0;

  get writableNeedDrain(): boolean {
    return this.writableLength >= this.writableHighWaterMark;
  }

  readonly waiting: ((error?: Error | null) => void)[] = [];

  write(bytes: Uint8Array, done?: (error?: Error | null) => void): boolean {
    this.writableLength += bytes.length;
    if (done !== undefined) this.waiting.push(done);
    return !this.writableNeedDrain;
  }

  cork(): void {}
  uncork(): void {}
  end(): void {}
  destroySoon(): void {}
  pause(): void {}
  resume(): void {}
  on(): void {}
}

test('a few reads of a pipe may be under way before more would only pile up', () => {
  const carrier = new StalledCarrier();
  const link = new NativeLink('server', { framing: 'messages' });
  const pump = new Pump(carrier, link, { onEvent: () => {}, onDrain: () => {}, onClosed: () => {} });
  link.connection.accept(1, 'out');
  const backlogged = [];
  for (let read = 1; read <= 5; read++) {
    link.connection.write(1, new Uint8Array(65_536));
    pump.settle();
    backlogged.push(pump.isBacklogged);
  }
  assert.deepEqual(backlogged, [false, false, false, true, true]);
});

test('whoever lends bytes hears when they are out, and of those that were not never', () => {
  const carrier = new StalledCarrier();
  const link = new NativeLink('server');
  const pump = new Pump(carrier, link, { onEvent: () => {}, onDrain: () => {}, onClosed: () => {} });
  link.connection.accept(1, 'out');
  const out: string[] = [];
  const lend = (name: string, length: number) => {
    link.connection.write(1, new Uint8Array(length), () => out.push(name));
    pump.settle();
  };
  lend('two frames', 100_000);
  assert.equal(carrier.waiting.length, 1);
  carrier.waiting.shift()?.();
  assert.deepEqual(out, ['two frames']);
  lend('failed', 10_000);
  carrier.waiting.shift()?.(new Error('EPIPE'));
  lend('more than there is credit for', 2_000_000);
  assert.equal(carrier.waiting.length, 0);
  assert.deepEqual(out, ['two frames']);
});

/** One that brings what it is told to, and calls back when it is told to. */
class BringingCarrier extends StalledCarrier {
  readonly later: (() => void)[] = [];
  readonly #events = new EventEmitter();

  override on(event?: string, listener?: (chunk: Uint8Array & Error) => void): void {
    if (event !== undefined && listener !== undefined) this.#events.on(event, listener);
  }

  bring(chunk: Uint8Array): void {
    this.#events.emit('data', chunk);
  }

  finish(): void {
    this.#events.emit('end');
  }

  /** Without an end. */
  break(): void {
    this.#events.emit('close');
  }
}

function gathering(): { carrier: BringingCarrier; memory: Uint8Array; told: (number | string)[] } {
  const told: (number | string)[] = [];
  const carrier = new BringingCarrier();
  const link = new NativeLink('client', { framing: 'stream' });
  const onEvent = (event: LinkEvent) => told.push(event.type === 'data' ? event.bytes.length : event.type);
  const soon = (then: () => void) => void carrier.later.push(then);
  const pump = new Pump(carrier, link, { onEvent, onDrain: () => {}, onClosed: () => told.push('closed'), soon });
  pump.start(new TextEncoder().encode(formatServerPreface({ kind: 'chosen', version: 1, serverName: 'Server' })));
  link.connection.open(1, 'in');
  // A frame that is longer than what is brought of it, in one piece of memory.
  const memory = new Uint8Array(8 + 65_536);
  memory.set([1, 0, 0, 2, 0, 0, 0, 1]);
  told.length = 0;
  return { carrier, memory, told };
}

test('full records behind one another in memory are read as one piece, when all that came was told', () => {
  const { carrier, memory, told } = gathering();
  carrier.bring(memory.subarray(0, 16_384));
  carrier.bring(memory.subarray(16_384, 32_768));
  assert.deepEqual(told, []);
  assert.equal(carrier.later.length, 1);
  carrier.later.shift()?.();
  assert.deepEqual(told, [32_760]);
});

test('a short record ends the waiting, and so does as much as is gathered, other memory, and the end', () => {
  const { carrier, memory, told } = gathering();
  carrier.bring(memory.subarray(0, 16_384));
  carrier.bring(memory.subarray(16_384, 16_400));
  assert.deepEqual(told, [16_392]);
  carrier.bring(memory.subarray(16_400, 32_784));
  carrier.bring(memory.slice(32_784, 49_168));
  assert.deepEqual(told, [16_392, 16_384]);
  carrier.finish();
  assert.deepEqual(told, [16_392, 16_384, 16_384, 'ended']);
  // It was called for what is told already.
  carrier.later.shift()?.();
  assert.equal(told.length, 4);
});

test('what had come before the connection broke is told before that, and nothing after it', () => {
  const { carrier, memory, told } = gathering();
  carrier.bring(memory.subarray(0, 16_384));
  carrier.break();
  carrier.later.shift()?.();
  assert.deepEqual(told, [16_376, 'closed']);
});

test('what a command says is held until it is released, and nothing is given back that waits to be looked at', () => {
  const carrier = new BringingCarrier();
  const link = new NativeLink('client', { framing: 'stream' });
  const told: string[] = [];
  const releases: ((() => void) | undefined)[] = [];
  const memory = {
    hold(bytes: Uint8Array) {
      told.push(`held ${bytes.length}`);
      return () => void told.push(`released ${bytes.length}`);
    },
    read: (bytes: Uint8Array) => void told.push(`read ${bytes.length}`),
  };
  const onEvent = (event: LinkEvent) => event.type === 'data' && releases.push(event.release);
  const pump = new Pump(carrier, link, { onEvent, onDrain: () => {}, onClosed: () => {}, memory });
  pump.start(new TextEncoder().encode(formatServerPreface({ kind: 'chosen', version: 1, serverName: 'Server' })));
  link.connection.open(1, 'in');
  const frame = new Uint8Array([0, 0, 4, 2, 0, 0, 0, 1, 1, 2, 3, 4]);
  carrier.bring(frame.subarray(0, 10));
  carrier.bring(frame.subarray(10));
  for (const release of releases) release?.();
  assert.deepEqual(told.splice(0), ['held 2', 'read 10', 'held 2', 'read 2', 'released 2', 'released 2']);
  carrier.writableLength = 5_000_000; // nobody fetches our answers
  carrier.bring(frame);
  assert.deepEqual(told, []);
});
