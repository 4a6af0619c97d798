// What the other end is told of a run, and in how many pieces.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { ByteSource, Run, RunResult } from '../core/ports.ts';
import { NativeConnection } from '../protocol/native/connection.ts';
import { RUN_ENDED } from '../protocol/native/methods/run.ts';
import { ServedRun } from './served-run.ts';

const STREAMS = { stdin: 1, stdout: 3, stderr: 5 };

class Source implements ByteSource {
  tellEnd = (): void => {};
  onData(): void {}
  onEnd(listener: () => void): void {
    this.tellEnd = listener;
  }
  pause(): void {}
  resume(): void {}
  cancel(): void {}
}

/** What was written at once, each time. */
function aServedRun(t: TestContext, { isNumberHeld = false } = {}) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const connection = new NativeConnection('server');
  const writes: string[][] = [];
  const pump = {
    isBacklogged: false,
    settle() {
      for (let events = connection.takeEvents(); events.length > 0; events = connection.takeEvents()) {
        for (const event of events) if ('stream' in event) served.receive(event);
      }
      const frames = connection.takeOutput().map((frame) => {
        if (frame.kind === 'control') return frame.text.includes(RUN_ENDED) ? 'run.ended' : 'number';
        return `${frame.kind} ${frame.stream}`;
      });
      if (frames.length > 0) writes.push(frames);
    },
  };
  const stdout = new Source();
  const stderr = new Source();
  const { promise: ended, resolve: end } = Promise.withResolvers<RunResult>();
  const stdin = { write: () => true, end() {}, onDrain() {}, onClosed() {} };
  const run: Run = { stdin, stdout, stderr, ended, cancel() {}, resize() {} };
  const told = Promise.withResolvers<void>();
  const served = new ServedRun({
    id: 1,
    run,
    streams: STREAMS,
    connection,
    pump,
    onEnded: () => told.resolve(),
    onNumbered: isNumberHeld ? () => connection.notify('number', {}) : undefined,
  });
  pump.settle();
  writes.length = 0;
  return { stdout, stderr, end, told: told.promise, writes, timers: t.mock.timers };
}

test('the ends of both outputs go with the end of the run', async (t) => {
  const { stdout, stderr, end, told, writes } = aServedRun(t);
  stdout.tellEnd();
  stderr.tellEnd();
  assert.deepEqual(writes, []);
  end({ result: 'exited', status: 0 });
  await told;
  // In one go: without a turn of the event loop in between.
  assert.deepEqual(writes.flat(), ['end 3', 'end 5', 'reset 1', 'run.ended']);
});

test('an output that ends after its run waits for nothing', async (t) => {
  const { stdout, stderr, end, writes } = aServedRun(t);
  end({ result: 'exited', status: 0 });
  await Promise.resolve();
  stderr.tellEnd();
  stdout.tellEnd();
  assert.deepEqual(writes.flat(), ['end 5', 'end 3', 'reset 1', 'run.ended']);
});

test('an output that ends while the command goes on is told to have ended, soon', (t) => {
  const { stdout, writes, timers } = aServedRun(t);
  stdout.tellEnd();
  timers.tick(10);
  assert.deepEqual(writes, [['end 3']]);
});

test('the number of a run that is soon over goes with its end, and before it', async (t) => {
  const { stdout, stderr, end, told, writes, timers } = aServedRun(t, { isNumberHeld: true });
  stdout.tellEnd();
  stderr.tellEnd();
  end({ result: 'exited', status: 0 });
  await told;
  assert.deepEqual(writes, [['number', 'end 3', 'end 5', 'reset 1', 'run.ended']]);
  timers.tick(10);
  assert.equal(writes.length, 1);
});

test('the number of a run that goes on is told, soon and once', async (t) => {
  const { stdout, stderr, end, told, writes, timers } = aServedRun(t, { isNumberHeld: true });
  timers.tick(10);
  assert.deepEqual(writes, [['number']]);
  stdout.tellEnd();
  stderr.tellEnd();
  end({ result: 'exited', status: 0 });
  await told;
  assert.deepEqual(writes.flat(), ['number', 'end 3', 'end 5', 'reset 1', 'run.ended']);
});
