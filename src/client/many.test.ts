import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settled } from '../../test/kit/clock.ts';
import { StillWorld } from '../../test/kit/fake-chat.ts';
import { FakeCommands } from '../../test/kit/fake-commands.ts';
import { CommandRun, type RunOptions } from './command-run.ts';
import { runMany, type ManyOptions } from './many.ts';
import { Running, Together } from './running.ts';

function many(names: readonly string[], options: Omit<ManyOptions, 'on' | 'command' | 'argv' | 'verb'> = {}) {
  const wire = new FakeCommands();
  const running = new Running();
  running.attach(wire);
  const [world, together] = [new StillWorld(), new Together()];
  const start = (each: RunOptions) => new CommandRun({ options: each, together, running, world });
  const results = runMany(
    { on: 'all', command: 'x', ...options },
    { meant: () => Promise.resolve({ hosts: names }), start },
  );
  let ended = 0;
  /** The n-th that was asked for ends, and its outputs with it. */
  const end = async (index: number, status: number) => {
    wire.answer(index, { run: ++ended });
    await settled();
    const { stdout, stderr } = wire.streamsOf(index);
    wire.say(stdout, `out ${index}`);
    for (const stream of [stdout, stderr]) wire.tell({ type: 'end', stream });
    wire.finish({ run: ended, result: 'exited', status });
    await settled();
  };
  const begun = () => wire.asked.filter(({ method }) => method === 'run.start').map(({ params }) => params['on']);
  return { wire, results, end, begun };
}

test('so many are under way at once, results come as they end, and the next begins when one was taken', async () => {
  const { results, end, begun, wire } = many(['a', 'b', 'c', 'd'], { batch: 2 });
  const first = results.next();
  await settled();
  assert.deepEqual(begun(), ['a', 'b']);
  assert.equal(wire.asked[0]?.params['together'], 1);
  await end(1, 0);
  const { value } = await first;
  assert.deepEqual(value, { host: 'b', result: 'exited', status: 0, stdout: 'out 1', stderr: '', isCut: false });
  assert.deepEqual(begun(), ['a', 'b'], 'one was begun before the result before it was taken');
  const second = results.next();
  await settled();
  assert.deepEqual(begun(), ['a', 'b', 'c']);
  await end(0, 0);
  await end(2, 5);
  const next = await second;
  const [one, other] = [next.value?.host, (await results.next()).value?.host];
  assert.deepEqual([one, other], ['a', 'c']);
  await end(3, 0);
  assert.equal((await results.next()).value?.host, 'd');
  assert.deepEqual(await results.next(), { done: true, value: undefined });
});

test('whoever leaves the loop cancels what runs, and nothing else begins', async () => {
  const { results, end, begun, wire } = many(['a', 'b', 'c'], { batch: 2 });
  const first = results.next();
  await settled();
  await end(0, 1);
  assert.equal((await first).value?.status, 1);
  wire.answer(1, { run: 9 });
  const left = results.return();
  await settled();
  assert.deepEqual(wire.asked.at(-1)?.params, { run: 9 });
  wire.finish({ run: 9, result: 'cancelled', status: 143 });
  await left;
  assert.deepEqual(begun(), ['a', 'b']);
});

test('after so many failures nothing else begins, and what runs comes to its own end', async () => {
  const { results, end, begun } = many(['a', 'b', 'c'], { batch: 2, stopAfter: 1 });
  const first = results.next();
  await settled();
  await end(0, 1);
  assert.equal((await first).value?.host, 'a');
  const second = results.next();
  await settled();
  await end(1, 0);
  assert.deepEqual([(await second).value?.host, (await second).value?.result], ['b', 'exited']);
  assert.deepEqual(await results.next(), { done: true, value: undefined });
  assert.deepEqual(begun(), ['a', 'b']);
});

test('a signal ends what runs, and whoever reads is not told that all was done', async () => {
  const stop = new AbortController();
  const { results, begun, wire } = many(['a', 'b'], { batch: 1, signal: stop.signal });
  const first = results.next();
  await settled();
  wire.answer(0, { run: 1 });
  await settled();
  stop.abort(new Error('stopped here'));
  wire.finish({ run: 1, result: 'cancelled', status: 143 });
  // What it said until then is not awaited for longer than its streams are there.
  assert.deepEqual([(await first).value?.host, (await first).value?.result], ['a', 'cancelled']);
  await assert.rejects(results.next(), { message: 'stopped here' });
  assert.deepEqual(begun(), ['a']);
});

test('a command that cannot be begun at all is the caller’s failure, not a result that never comes', async () => {
  const start = () => {
    throw new TypeError('no such command');
  };
  const results = runMany({ on: 'all', command: 'x' }, { meant: () => Promise.resolve({ hosts: ['a', 'b'] }), start });
  await assert.rejects(results.next(), { name: 'TypeError', message: 'no such command' });
});

test('what cannot be meant is said at the first result', async () => {
  await assert.rejects(many(['a'], { batch: 0 }).results.next(), RangeError);
  for (const maxBytes of [Number.NaN, -5, 0.5, Number('abc')]) {
    const { results, begun } = many(['a'], { maxBytes });
    await assert.rejects(results.next(), { name: 'RangeError', message: /^maxBytes is a number of bytes, not / });
    assert.deepEqual(begun(), []);
  }
});
