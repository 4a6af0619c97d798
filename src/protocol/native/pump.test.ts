// The pump, on a carrier that takes as much as it is told to.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NativeLink } from './link.ts';
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
