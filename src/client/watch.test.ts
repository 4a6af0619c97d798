import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settled } from '../../test/kit/clock.ts';
import { StillWorld } from '../../test/kit/fake-chat.ts';
import { FakeCommands } from '../../test/kit/fake-commands.ts';
import { encodePosition, taggedHeader } from '../protocol/native/tagged.ts';
import { ClosedError, UnreachableError } from './errors.ts';
import { Running } from './running.ts';
import { Watch, type AttachOptions, type Piece } from './watch.ts';

function watching(options: AttachOptions = {}) {
  const wire = new FakeCommands();
  const running = new Running();
  const world = new StillWorld();
  running.attach(wire);
  return { wire, running, world, watch: new Watch({ id: 18, options, running, world }) };
}

function outputOf(wire: FakeCommands, index = 0): number {
  const stream = wire.asked[index]?.params['output'];
  assert.ok(typeof stream === 'number');
  return stream;
}

function said(at: number, ...pieces: readonly (readonly ['stdout' | 'stderr', string])[]): Uint8Array {
  const tagged = pieces.flatMap(([stream, text]) => [taggedHeader(stream, text.length), Buffer.from(text)]);
  return Buffer.concat([encodePosition(at), ...tagged]);
}

async function read(watch: Watch): Promise<string> {
  const { value } = await watch.output.next();
  return wordsFor(value);
}

function wordsFor(piece: Piece | undefined): string {
  if (piece === undefined) return 'the end';
  return piece.stream === 'missing'
    ? `${piece.count} missing`
    : `${piece.stream}: ${Buffer.from(piece.bytes).toString()}`;
}

test('what a detached run says comes in its order, and how far that is read is known', async () => {
  const { wire, watch } = watching();
  const { id, host, from, input } = wire.asked[0]?.params ?? {};
  assert.deepEqual([id, host, from, input], [18, 0, 0, undefined]);
  wire.answer(0, { run: 1, host: 'web1' });
  wire.say(outputOf(wire), said(0, ['stdout', 'one'], ['stderr', 'two!'], ['stdout', 'three']));
  assert.equal(watch.position, 0);
  assert.equal(await read(watch), 'stdout: one');
  assert.equal(watch.position, 3);
  assert.equal(await read(watch), 'stderr: two!');
  assert.equal(watch.position, 7);
  assert.equal(await read(watch), 'stdout: three');
  await settled();
  wire.finish({ run: 1, result: 'exited', status: 4 });
  assert.equal(await read(watch), 'the end');
  assert.deepEqual(await watch.result, { result: 'exited', status: 4 });
  assert.equal(watch.position, 12);
  assert.equal(wire.open.size, 0);
});

test('what is kept no more stands where it was', async () => {
  const { wire, watch } = watching({ from: 10 });
  wire.say(outputOf(wire), said(30, ['stdout', 'late']));
  assert.equal(await read(watch), '20 missing');
  assert.equal(await read(watch), 'stdout: late');
  assert.equal(watch.position, 34);
});

test('over a lost connection it goes on from what had come, and nothing comes twice', async () => {
  const { wire, running, world, watch } = watching();
  wire.answer(0, { run: 1, host: 'web1' });
  wire.say(outputOf(wire), said(0, ['stdout', 'one'], ['stdout', 'two']));
  assert.equal(await read(watch), 'stdout: one');
  wire.lose();
  running.detach();
  await settled();
  const second = new FakeCommands();
  running.attach(second);
  world.pass();
  // The machine is not back yet.
  second.refuse(0, 'offline', 'web1 is offline');
  await settled();
  assert.deepEqual(world.delays, [125, 250]);
  world.pass();
  assert.deepEqual([second.asked[1]?.params['from'], second.open.size], [6, 1]);
  second.answer(1, { run: 5, host: 'web1' });
  second.say(outputOf(second, 1), said(6, ['stderr', 'three']));
  assert.equal(await read(watch), 'stdout: two');
  assert.equal(await read(watch), 'stderr: three');
  await settled();
  second.finish({ run: 5, result: 'exited', status: 0 });
  assert.deepEqual(await watch.result, { result: 'exited', status: 0 });
});

test('one that gives input does not go on by itself, and one that has no connection to come ends', async () => {
  const giving = watching({ stdin: true });
  giving.wire.lose();
  giving.running.detach();
  assert.deepEqual(await giving.watch.result, { result: 'lost', status: null, reason: 'the cable' });
  const { wire, running, world, watch } = watching();
  const reading = read(watch);
  wire.lose();
  running.detach();
  await settled();
  world.pass();
  running.close(new ClosedError());
  await assert.rejects(reading, UnreachableError);
  assert.deepEqual(await watch.result, { result: 'lost', status: null, reason: 'The client is closed' });
});

test('leaving the loop, closing it and a signal end the watching alone', async () => {
  const lost = { result: 'lost', status: null, reason: 'it is not watched here any more' };
  const stop = new AbortController();
  const left = watching();
  left.wire.answer(0, { run: 1, host: 'web1' });
  await settled();
  left.wire.say(outputOf(left.wire), said(0, ['stdout', 'one'], ['stdout', 'two']));
  for await (const piece of left.watch.output) {
    assert.equal(wordsFor(piece), 'stdout: one');
    break;
  }
  assert.deepEqual(await left.watch.result, lost);
  assert.equal(left.watch.position, 3);
  assert.deepEqual(left.wire.asked[1]?.params, { run: 1 });

  const closed = watching({ signal: stop.signal });
  const reading = read(closed.watch);
  stop.abort();
  assert.equal(await reading, 'the end');
  assert.deepEqual(await closed.watch.result, lost);
  // It is told once the server has said which watching it is.
  assert.equal(closed.wire.asked.length, 1);
  closed.wire.answer(0, { run: 2, host: 'web1' });
  await settled();
  assert.deepEqual([closed.wire.asked[1]?.method, closed.wire.asked[1]?.params], ['run.cancel', { run: 2 }]);
  assert.equal((await watching({ signal: stop.signal }).watch.result).result, 'lost');
});

test('a machine that is cut off is asked again, and what was read does not come twice', async () => {
  const { wire, world, watch } = watching();
  wire.answer(0, { run: 1, host: 'web1' });
  wire.say(outputOf(wire), said(0, ['stdout', 'one']));
  assert.equal(await read(watch), 'stdout: one');
  await settled();
  wire.finish({ run: 1, result: 'lost', status: null, cut: true });
  await settled();
  world.pass();
  assert.equal(wire.asked[1]?.params['from'], 3);
  wire.answer(1, { run: 2, host: 'web1' });
  await settled();
  wire.finish({ run: 2, result: 'lost', status: null, reason: 'nobody knows' });
  assert.deepEqual(await watch.result, { result: 'lost', status: null, reason: 'nobody knows' });
  assert.equal(wire.asked.length, 2);
});

test('a machine that does not come back is not waited for endlessly, and one that was never here not at all', async () => {
  const { wire, running, world, watch } = watching();
  wire.lose();
  running.detach();
  await settled();
  const second = new FakeCommands();
  running.attach(second);
  for (let index = 0; world.isWaiting; index++) {
    world.pass();
    second.refuse(index, 'offline', 'web1 is offline');
    await settled();
  }
  assert.equal((await watch.result).result, 'offline');
  assert.equal(second.asked.length, 9);
  const other = watching();
  other.wire.refuse(0, 'offline', 'web1 is offline');
  assert.equal((await other.watch.result).result, 'offline');
});

test('input that is given reaches the run, and its end', async () => {
  const { wire, watch } = watching({ stdin: 'hello' });
  await settled();
  const input = wire.asked[0]?.params['input'];
  assert.ok(typeof input === 'number');
  assert.deepEqual([wire.written.get(input), wire.ended.has(input)], ['hello', true]);
  wire.refuse(0, 'not-allowed', 'Cannot watch');
  assert.deepEqual(await watch.result, {
    result: 'denied',
    status: null,
    code: 'not-allowed',
    reason: 'Cannot watch',
  });
});
