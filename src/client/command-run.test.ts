import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settled } from '../../test/kit/clock.ts';
import { FakeCommands } from '../../test/kit/fake-commands.ts';
import { aRunHouse } from '../../test/kit/run-house.ts';
import { INITIAL_WINDOW_BYTES } from '../protocol/native/limits.ts';
import { BrokenPipeError, ClosedError, UnreachableError } from './errors.ts';

async function text(output: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const bytes of output) pieces.push(bytes);
  return Buffer.concat(pieces).toString();
}

test('what is asked for is what the server is asked, and no more of this program than that', () => {
  const { wire, run } = aRunHouse();
  run({ command: 'ls' });
  run({
    argv: ['ls', '-l'],
    on: 'web1',
    cwd: '/srv',
    env: { LANG: 'C' },
    timeoutMs: 5,
    terminal: { columns: 8, rows: 2 },
  });
  run({ verb: 'restart', args: ['nginx'] });
  const asked = wire.asked.map(({ params: { stdin: _in, stdout: _out, stderr: _err, ...params } }) => params);
  assert.deepEqual(asked, [
    { command: { shell: 'ls' }, env: {} },
    {
      command: { argv: ['ls', '-l'] },
      on: 'web1',
      cwd: '/srv',
      env: { LANG: 'C' },
      timeoutMs: 5,
      terminal: { columns: 8, rows: 2 },
    },
    { command: { verb: 'restart', args: ['nginx'] }, env: {} },
  ]);
  // @ts-expect-error -- as from a program without types
  assert.throws(() => run({ on: 'web1' }), TypeError);
  // @ts-expect-error -- the same
  assert.throws(() => run({ command: 'ls', argv: ['ls'] }), TypeError);
});

test('an output is granted again as it is read, and not before', async () => {
  const { wire, run } = aRunHouse();
  const { stdout } = run({ command: 'ls' });
  const { stdout: stream } = wire.streamsOf(0);
  wire.say(stream, 'one');
  wire.say(stream, 'two!');
  assert.equal(wire.consumed.get(stream), undefined);
  assert.equal(Buffer.from((await stdout.next()).value ?? []).toString(), 'one');
  assert.equal(wire.consumed.get(stream), undefined);
  await stdout.next();
  assert.equal(wire.consumed.get(stream), 3);
  const third = stdout.next();
  assert.equal(wire.consumed.get(stream), 7);
  wire.tell({ type: 'end', stream });
  assert.deepEqual(await third, { done: true, value: undefined });
});

test('leaving the loop over an output resets its stream, once', async () => {
  const { wire, run } = aRunHouse();
  const { stdout, stderr } = run({ command: 'yes' });
  const streams = wire.streamsOf(0);
  wire.say(streams.stdout, 'y\n');
  for await (const bytes of stdout) {
    assert.equal(bytes.length, 2);
    break;
  }
  assert.deepEqual([...wire.wasReset], [streams.stdout]);
  wire.say(streams.stdout, 'y\n');
  assert.equal(wire.consumed.get(streams.stdout), 4);
  stderr.cancel();
  assert.deepEqual([...wire.wasReset], [streams.stdout, streams.stderr]);
  assert.deepEqual(await stdout.next(), { done: true, value: undefined });
});

test('each way to end is a result', async () => {
  const { wire, run } = aRunHouse();
  const runs = Array.from({ length: 7 }, () => run({ command: 'x' }));
  for (const index of [0, 1, 2, 3, 4]) wire.answer(index, { run: index + 1, record: index + 10 });
  await settled();
  wire.finish({ run: 1, result: 'exited', status: 3 });
  wire.finish({ run: 2, result: 'signalled', status: 137, signal: 9 });
  wire.finish({ run: 3, result: 'timeout', status: 124 });
  wire.finish({ run: 4, result: 'denied', status: null, reason: 'Not here' });
  wire.finish({ run: 5, result: 'lost', status: null, reason: 'web1 went away' });
  wire.refuse(5, 'offline', 'web1 is offline');
  wire.refuse(6, 'not-allowed', 'Cannot run');
  assert.deepEqual(await Promise.all(runs.map(({ result }) => result)), [
    { result: 'exited', status: 3 },
    { result: 'signalled', status: 137, signal: 9 },
    { result: 'timeout', status: 124 },
    { result: 'denied', status: null, code: 'denied', reason: 'Not here' },
    { result: 'lost', status: null, reason: 'web1 went away' },
    { result: 'offline', status: null, code: 'offline', reason: 'web1 is offline' },
    { result: 'denied', status: null, code: 'not-allowed', reason: 'Cannot run' },
  ]);
  assert.deepEqual(await Promise.all(runs.map(({ record }) => record)), [10, 11, 12, 13, 14, undefined, undefined]);
  assert.equal(wire.open.size, 0, 'streams are kept of runs that are over');
  assert.equal(wire.asked.length, 7);
});

test('a run whose connection goes is lost; what had come is read, and the loop throws after it', async () => {
  const { wire, run, running } = aRunHouse();
  const { result, stdout, stderr, stdin } = run({ command: 'ls', stdin: true });
  wire.say(wire.streamsOf(0).stdout, 'half a li');
  const reading = stderr.next();
  wire.lose();
  running.detach();
  assert.deepEqual(await result, { result: 'lost', status: null, reason: 'the cable' });
  await assert.rejects(reading, UnreachableError);
  assert.equal(Buffer.from((await stdout.next()).value ?? []).toString(), 'half a li');
  await assert.rejects(stdout.next(), { message: 'The rest of the output is lost: the cable' });
  assert.deepEqual(await stdout.next(), { done: true, value: undefined });
  await assert.rejects(stdin.write('x'), BrokenPipeError);
});

test('a run waits for a connection, is asked for once, and is lost if there will be none', async () => {
  const { wire, run, running } = aRunHouse({ isConnected: false });
  const { result, stdin } = run({ command: 'ls', stdin: true });
  const written = stdin.write('hello');
  stdin.end();
  running.attach(wire);
  await written;
  await settled();
  const { stdin: stream } = wire.streamsOf(0);
  assert.deepEqual([wire.written.get(stream), wire.ended.has(stream)], ['hello', true]);
  wire.lose();
  running.detach();
  assert.equal((await result).result, 'lost');
  const second = new FakeCommands();
  running.attach(second);
  assert.deepEqual(second.asked, []);
  // It has gone, and whoever sees to connections does not know yet.
  second.lose();
  await settled();
  const between = run({ command: 'ls' });
  running.detach();
  const third = new FakeCommands();
  running.attach(third);
  third.refuse(0, 'not-allowed', 'Cannot run');
  assert.equal((await between.result).result, 'denied');
  running.detach();
  const waiting = run({ command: 'ls' });
  running.close(new ClosedError());
  const lost = { result: 'lost', status: null, reason: 'The client is closed; nothing was started' };
  assert.deepEqual(await waiting.result, lost);
  assert.deepEqual(await run({ command: 'ls' }).result, lost);
});

test('so many starts wait for their answers, and the next one for one of them', async () => {
  const { wire, run } = aRunHouse();
  for (let count = 0; count < 20; count++) run({ command: 'x' });
  assert.equal(wire.asked.length, 12);
  wire.answer(3, { run: 1 });
  wire.refuse(4, 'not-allowed', 'Cannot run');
  await settled();
  assert.equal(wire.asked.length, 14);
});

test('runs beyond those that may wait are refused', async () => {
  const { run } = aRunHouse({ isConnected: false });
  for (let count = 0; count < 10_000; count++) run({ command: 'x' });
  const { result, status } = await run({ command: 'x' }).result;
  assert.deepEqual([result, status], ['denied', null]);
});

test('a run that is cancelled before it began is never asked for', async () => {
  const { wire, run, running } = aRunHouse({ isConnected: false });
  const cancelled = { result: 'cancelled', status: null, reason: 'nothing was started' };
  const stop = new AbortController();
  const [one, other] = [run({ command: 'x' }), run({ command: 'x', signal: stop.signal })];
  stop.abort();
  assert.deepEqual(await one.cancel(), cancelled);
  assert.deepEqual(await other.result, cancelled);
  assert.deepEqual(await run({ command: 'x', signal: stop.signal }).result, cancelled);
  assert.equal(await one.record, undefined);
  running.attach(wire);
  assert.deepEqual(wire.asked, []);
});

test('a signal that is aborted cancels the run, whose end is waited for', async () => {
  const { wire, run, world } = aRunHouse();
  const stop = new AbortController();
  const { result } = run({ command: 'x', signal: stop.signal });
  wire.answer(0, { run: 7 });
  await settled();
  stop.abort();
  assert.deepEqual(
    wire.asked.slice(1).map(({ method, params }) => [method, params]),
    [['run.cancel', { run: 7 }]],
  );
  wire.finish({ run: 7, result: 'cancelled', status: 143 });
  assert.deepEqual(await result, { result: 'cancelled', status: 143 });
  assert.equal(world.isWaiting, false);
});

test('a server that does not confirm an end within 10 s is not waited for', async () => {
  const { wire, run, world } = aRunHouse();
  const one = run({ command: 'x' });
  wire.answer(0, { run: 8 });
  await settled();
  const cancelled = one.cancel();
  assert.deepEqual(world.delays, [10_000]);
  world.pass();
  assert.deepEqual(await cancelled, {
    result: 'lost',
    status: null,
    reason: 'the server did not confirm within 10 s that the command has ended',
  });
  await assert.rejects(one.stdout.next(), UnreachableError);
});

test('once it is cancelled its end waits for no reader, who still finds what came: a window, and no more', async () => {
  const { wire, run } = aRunHouse();
  const one = run({ command: 'yes' });
  const { stdout } = wire.streamsOf(0);
  wire.answer(0, { run: 1 });
  await settled();
  wire.say(stdout, 'before ');
  void one.cancel();
  assert.equal(wire.consumed.get(stdout), 7);
  wire.say(stdout, 'after');
  assert.equal(wire.consumed.get(stdout), 12);
  assert.equal(wire.wasReset.size, 0);
  wire.say(stdout, new Uint8Array(INITIAL_WINDOW_BYTES));
  assert.deepEqual([...wire.wasReset], [stdout]);
  wire.say(stdout, 'more');
  wire.finish({ run: 1, result: 'cancelled', status: 143 });
  const said = await text(one.stdout);
  assert.deepEqual([said.length, said.slice(0, 12)], [12 + INITIAL_WINDOW_BYTES, 'before after']);
});

test('the text of both outputs is kept up to a bound, and the rest is read all the same', async () => {
  const { wire, run } = aRunHouse();
  const texts = run({ command: 'x' }).text({ maxBytes: 5 });
  const { stdout, stderr } = wire.streamsOf(0);
  wire.answer(0, { run: 1 });
  for (const piece of ['h\u00e9l', 'lo', ' you']) {
    wire.say(stdout, piece);
    await settled();
  }
  wire.say(stderr, Buffer.from([0xc3]));
  for (const stream of [stdout, stderr]) wire.tell({ type: 'end', stream });
  wire.finish({ run: 1, result: 'exited', status: 0 });
  assert.deepEqual(await texts, { result: 'exited', status: 0, stdout: 'h\u00e9ll', stderr: '\ufffd', isCut: true });
  assert.equal(wire.consumed.get(stdout), 10);
});

test('a terminal is told its size, the last one too that was given before it began', async () => {
  const { wire, run, running } = aRunHouse({ isConnected: false });
  const one = run({ command: 'top', terminal: { columns: 80, rows: 24 } });
  one.resize({ columns: 100, rows: 30 });
  running.attach(wire);
  wire.answer(0, { run: 1 });
  await settled();
  one.resize({ columns: 120, rows: 40 });
  assert.deepEqual(
    wire.asked.map(({ method, params }) => [method, params['columns']]),
    [
      ['run.start', undefined],
      ['run.resize', 100],
      ['run.resize', 120],
    ],
  );
});

test('a run ends with the block that it is used in', async () => {
  const { wire, run } = aRunHouse();
  {
    await using _run = run({ command: 'sleep 100' });
    wire.answer(0, { run: 1 });
    await settled();
    queueMicrotask(() => wire.finish({ run: 1, result: 'cancelled', status: 143 }));
  }
  assert.equal(wire.asked[1]?.method, 'run.cancel');
});

test('a text of so many bytes that are no number is refused, and none of it is read', async () => {
  const { run } = aRunHouse();
  const given = run({ command: 'ls' });
  // As from a program without types: 'abc'.
  for (const maxBytes of [Number.NaN, -5, 0.5, JSON.parse('"abc"')]) {
    await assert.rejects(given.text({ maxBytes }), {
      name: 'RangeError',
      message: /^maxBytes is a number of bytes, not /,
    });
  }
});
