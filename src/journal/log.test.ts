import assert from 'node:assert/strict';
import fs, { existsSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { aDirectory } from '../../test/kit/directory.ts';
import { aFrame } from '../../test/kit/frames.ts';
import { readBacklog } from './backlog.ts';
import { type Frame, messagesOf, seedOf } from './frame.ts';
import { Log, type LogOptions } from './log.ts';
import type { Range } from './wire.ts';

const LIMIT = { timeout: 60_000 };
const IDENTITY = 'a journal';

function framesAfter(path: string, after: number): Frame[] {
  const frames: Frame[] = [];
  const { problem } = readBacklog(path, { after, seed: seedOf(IDENTITY), onFrame: (frame) => frames.push(frame) });
  assert.equal(problem, undefined);
  return frames;
}

async function aLog(t: TestContext, options: Partial<LogOptions> = {}) {
  const path = join(aDirectory(t), 'journal');
  const log = await Log.open({ path, identity: IDENTITY, head: 0, ...options });
  t.after(() => log.close());
  let head = 0;
  /** Resolves with where it is; `isHere`: it was durable before `write` returned. */
  const write = (characters: number) => {
    const { promise, resolve } = Promise.withResolvers<Range & { isHere: boolean }>();
    let hasReturned = false;
    log.write(aFrame(++head, [[0, 1, 'Bob', 'broadcast', ['all'], 'x'.repeat(characters), []]]), (error, range) => {
      assert.equal(error, null);
      resolve({ ...range, isHere: !hasReturned });
    });
    hasReturned = true;
    return promise;
  };
  const ids = (after = 0) => framesAfter(path, after).map(({ first }) => first);
  return { log, path, write, ids };
}

test('frames follow one another, and are read in order', LIMIT, async (t) => {
  const { write, ids } = await aLog(t);
  const [one, two] = [await write(10), await write(100)];
  assert.deepEqual([one.from, one.to, two.segment], [0, two.from, 0]);
  assert.deepEqual(ids(), [1, 2]);
  assert.deepEqual(ids(1), [2]);
});

test('a full segment is followed by the next one, and used again once the database has all in it', LIMIT, async (t) => {
  const { log, path, write, ids } = await aLog(t);
  const segments: number[] = [];
  for (let at = 0; at < 6; at++) segments.push((await write(6_000_000)).segment);
  assert.deepEqual(segments, [0, 0, 1, 1, 2, 2]);
  assert.deepEqual(ids(), [1, 2, 3, 4, 5, 6]);
  log.release(4);
  for (let at = 0; at < 5; at++) segments.push((await write(6_000_000)).segment);
  assert.deepEqual(segments.slice(6), [0, 0, 1, 1, 3]);
  assert.deepEqual(ids(4), [5, 6, 7, 8, 9, 10, 11]);
  await log.close();
  assert.equal(readdirSync(join(path, '..')).length, 4);
});

test(
  'a segment that is made at the last moment has its name on disk before anything in it counts',
  LIMIT,
  async (t) => {
    // A quick disk: nothing leaves the turn, and so no segment is ready in time.
    const { path, write } = await aLog(t, { clock: () => 0 });
    const sync = t.mock.method(fs, 'fsyncSync', () => named.push(readdirSync(join(path, '..')).at(-1)));
    const named: unknown[] = [];
    syncBuiltinESMExports();
    t.after(() => {
      sync.mock.restore();
      syncBuiltinESMExports();
    });
    const places = await Promise.all(Array.from({ length: 40 }, () => write(1_000_000)));
    const segments = new Set(places.map(({ segment }) => segment));
    segments.delete(0);
    assert.deepEqual(
      named,
      Array.from(segments, (segment) => `journal-log-${segment}`),
    );
  },
);

test('a log whose segments all wait for the database has no room until it has taken some', LIMIT, async (t) => {
  const { log, write } = await aLog(t, { maxSegments: 3 });
  let last = 0;
  for (; log.hasRoom; last++) await write(8_000_000);
  assert.equal(last, 6);
  log.release(1);
  assert.ok(!log.hasRoom);
  log.release(2);
  assert.ok(log.hasRoom);
  assert.equal((await write(8_000_000)).segment, 0);
});

test(
  'a quick disk is written to at once, a slow one from another thread until it has been given time',
  LIMIT,
  async (t) => {
    let now = 0;
    let tookMs = 0.2;
    // Read before and after each write.
    let isAfter = false;
    const clock = () => {
      now += isAfter ? tookMs : 0;
      isAfter = !isAfter;
      return now;
    };
    const { write, ids } = await aLog(t, { clock });
    for (let at = 0; at < 10; at++) assert.ok((await write(10)).isHere);
    tookMs = 5;
    assert.ok((await write(10)).isHere, 'one hiccup passes');
    assert.ok((await write(10)).isHere);
    tookMs = 0.2;
    let elsewhere = 0;
    while (!(await write(10)).isHere) elsewhere++;
    assert.equal(elsewhere, 64);
    assert.equal(ids().length, 10 + 2 + 64 + 1);
    assert.ok(!(await write(2_000_000)).isHere, 'much at once is never written here');
  },
);

test(
  'what was answered as not durable is not taken for a message, though it may be whole on disk',
  LIMIT,
  async (t) => {
    let fails = false;
    const failing: LogOptions['writeSync'] = (file, bytes, offset, length, position) => {
      const written = writeSync(file, bytes, offset, length, position);
      if (fails) throw new Error('the disk fails');
      return written;
    };
    const path = join(aDirectory(t), 'journal');
    const log = await Log.open({ path, identity: IDENTITY, head: 0, writeSync: failing });
    t.after(() => log.close());
    const texts = () => framesAfter(path, 0).map((frame) => messagesOf(frame).map(([at]) => at));
    const write = (first: number, at: number, characters = 10) =>
      new Promise((resolve) => {
        const frame = aFrame(first, [[at, 1, 'Bob', 'broadcast', ['all'], 'x'.repeat(characters), []]]);
        log.write(frame, (error) => resolve(error === null));
      });
    assert.ok(await write(1, 100, 8_000_000));
    fails = true;
    assert.equal(await write(2, 200), false);
    assert.deepEqual(texts(), [[100], [200]]);
    assert.equal(await new Promise((resolve) => log.probe(resolve)), null);
    assert.deepEqual(texts(), [[100]]);
    assert.equal(await write(2, 200), false);
    assert.deepEqual(texts(), [[100], [200]]);
    fails = false;
    assert.ok(await write(2, 300, 8_388_000), 'in the next segment');
    assert.deepEqual(texts(), [[100], [300]]);
    fails = true;
    assert.equal(await write(3, 400), false);
    assert.deepEqual(texts(), [[100], [300], [400]]);
    fails = false;
    await log.close();
    assert.deepEqual(texts(), [[100], [300]], 'after an orderly end');
  },
);

test('what is too long for half a segment is not written', LIMIT, async (t) => {
  const { log, write, ids } = await aLog(t);
  await write(10);
  const frame = aFrame(2, [[0, 1, 'Bob', 'broadcast', ['all'], 'x'.repeat(8_388_608), []]]);
  const error = await new Promise((resolve) => log.write(frame, resolve));
  assert.match(String(error), /too long for the log$/);
  assert.deepEqual(ids(), [1]);
  await write(10);
  assert.deepEqual(ids(), [1, 2]);
});

test('a segment that is missing is no other one twice', LIMIT, async (t) => {
  const { log, path, write } = await aLog(t);
  for (let at = 0; at < 6; at++) await write(8_000_000);
  await log.close();
  rmSync(`${path}-log-1`);
  const again = await Log.open({ path, identity: IDENTITY, head: 6 });
  t.after(() => again.close());
  const places = new Set<string>();
  for (let first = 7; first < 15; first++) {
    await new Promise<void>((resolve) => {
      const frame = aFrame(first, [[0, 1, 'Bob', 'broadcast', ['all'], 'x'.repeat(8_000_000), []]]);
      again.write(frame, (error, { segment, from }) => {
        assert.equal(error, null);
        places.add(`${segment} ${from}`);
        resolve();
      });
    });
  }
  assert.equal(places.size, 8);
  assert.equal(framesAfter(path, 6).length, 8);
});

test('segments beyond those that a start keeps are removed', LIMIT, async (t) => {
  const { log, path, write } = await aLog(t);
  for (let at = 0; at < 6; at++) await write(8_000_000);
  for (let at = 6; at < 12; at++) await write(8_000_000);
  await log.close();
  assert.ok(existsSync(`${path}-log-5`));
  const again = await Log.open({ path, identity: IDENTITY, head: 12 });
  await again.close();
  assert.deepEqual(
    readdirSync(join(path, '..')).sort(),
    [0, 1, 2, 3].map((number) => `journal-log-${number}`),
  );
});
