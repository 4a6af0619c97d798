// What a detached run said: in its order, from any position, bounded, and no reader waited for.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { aDirectory, newDirectory, removeDirectory } from '../../test/kit/directory.ts';
import { leaveOut, needs } from '../../test/kit/needs.ts';
import { Random, seedOf } from '../../test/kit/random.ts';
import { TaggedDecoder, type OutputTag } from '../protocol/native/tagged.ts';
import { SpoolReader } from './spool-reader.ts';
import { Spool, type SpoolOptions } from './spool.ts';

const LIMIT = { timeout: 20_000 };

function aSpool(t: TestContext, options: Partial<SpoolOptions> = {}): { spool: Spool; directory: string } {
  const directory = aDirectory(t);
  return { spool: new Spool({ path: join(directory, 'run'), ...options }), directory };
}

interface Heard {
  /** `stdout:…`, `stderr:…`, pieces joined; `@N` for a position. */
  readonly said: string[];
  readonly position: number;
}

/** Reads to the end. */
function hear(reader: SpoolReader): Promise<Heard> {
  const decoder = new TaggedDecoder();
  const said: string[] = [];
  let position = 0;
  let last: string | undefined;
  return new Promise((resolve) => {
    reader.onData((chunk) => {
      for (const piece of decoder.receive(chunk) ?? []) {
        if (piece.type === 'position') {
          said.push(`@${piece.at}`);
          position = piece.at;
          last = undefined;
          continue;
        }
        const text = Buffer.from(piece.bytes).toString('latin1');
        if (piece.type === last) said.push(`${said.pop()}${text}`);
        else said.push(`${piece.type}:${text}`);
        last = piece.type;
        position += piece.bytes.length;
      }
    });
    reader.onEnd(() => resolve({ said, position }));
    reader.resume();
  });
}

const text = (of: string) => Buffer.from(of, 'latin1');

test('a reader has both outputs in their order, then what comes, then the end', LIMIT, async (t) => {
  const { spool, directory } = aSpool(t);
  spool.append('stdout', text('one'));
  spool.append('stderr', text('two'));
  const early = hear(new SpoolReader(spool, 0));
  spool.append('stdout', text('three'));
  await spool.close();
  const whole = { said: ['@0', 'stdout:one', 'stderr:two', 'stdout:three'], position: 11 };
  assert.deepEqual(await early, whole);
  assert.deepEqual(await hear(new SpoolReader(spool, 0)), whole);
  assert.equal(statSync(join(directory, 'run.1')).mode & 0o777, 0o600);
  spool.remove();
  assert.deepEqual(readdirSync(directory), []);
});

test('from every position the rest comes, over all files', LIMIT, async (t) => {
  const random = new Random(seedOf(t));
  const { spool, directory } = aSpool(t, { segmentBytes: 64 });
  const all: [OutputTag, string][] = [];
  for (let index = 0; index < 60; index++) {
    const type: OutputTag = random.pick(['stdout', 'stderr']);
    const said = String(index).repeat(1 + random.int(6));
    all.push([type, said]);
    spool.append(type, text(said));
    if (random.int(2) === 0) await new Promise<void>((resolve) => setImmediate(resolve));
  }
  await spool.close();
  assert.ok(readdirSync(directory).length > 3);
  const whole = all.flatMap(([type, said]) => Array.from(said, (letter) => `${type}:${letter}`));
  assert.equal(spool.end, whole.length);
  for (let from = 0; from <= whole.length; from++) {
    const { said, position } = await hear(new SpoolReader(spool, from));
    assert.equal(said.shift(), `@${from}`);
    const letters = said.flatMap((one) => Array.from(one.slice(7), (letter) => `${one.slice(0, 7)}${letter}`));
    assert.deepEqual(letters, whole.slice(from));
    assert.equal(position, whole.length);
  }
  assert.deepEqual(await hear(new SpoolReader(spool, 10_000)), { said: [`@${whole.length}`], position: whole.length });
  assert.deepEqual(await hear(new SpoolReader(spool, 'end')), { said: [`@${whole.length}`], position: whole.length });
});

test('beyond its bound the oldest goes, and a reader is told what is missing', LIMIT, async (t) => {
  const { spool, directory } = aSpool(t, { maxBytes: 1_000, segmentBytes: 100 });
  for (let index = 0; index < 500; index++) {
    spool.append('stdout', text(`${index}`.padStart(9, ' ')));
    if (index % 3 === 0) await new Promise<void>((resolve) => setImmediate(resolve));
  }
  await spool.close();
  assert.ok(spool.bytes <= 1_000);
  const onDisk = readdirSync(directory).reduce((sum, file) => sum + statSync(join(directory, file)).size, 0);
  assert.equal(onDisk, spool.bytes);
  const { said, position } = await hear(new SpoolReader(spool, 9));
  const [begin = '', ...rest] = said.splice(0, 2);
  assert.equal(begin, '@9');
  const [first = ''] = rest;
  assert.match(first, /^@\d+$/);
  const at = Number(first.slice(1));
  assert.ok(at >= 4_500 - 1_000 && at < 4_500, first);
  assert.equal(said.join('').length, 'stdout:'.length + 4_500 - at);
  assert.ok(said.join('').endsWith('498      499'));
  assert.equal(position, 4_500);
});

test('a reader that stops costs nobody anything, and goes on where it was', LIMIT, async (t) => {
  const { spool } = aSpool(t);
  const stopped = new SpoolReader(spool, 0);
  const chunks: Uint8Array[] = [];
  const first = new Promise<void>((resolve) => {
    stopped.onData((chunk) => {
      chunks.push(chunk);
      stopped.pause();
      resolve();
    });
  });
  spool.append('stdout', text('a'));
  stopped.resume();
  await first;
  const other = hear(new SpoolReader(spool, 0));
  spool.append('stdout', text('b'.repeat(200_000)));
  await spool.close();
  assert.equal((await other).position, 200_001);
  assert.equal(chunks.length, 1);
  const rest = await hear(stopped);
  assert.equal(rest.said.join('').length, 'stdout:'.length + 200_001);
});

test('a file that somebody took away is missing, and the rest is there', LIMIT, async (t) => {
  const { spool, directory } = aSpool(t, { segmentBytes: 10 });
  for (const letter of ['a', 'b', 'c']) {
    spool.append('stderr', text(letter.repeat(10)));
    await new Promise<void>((resolve) => spool.follow(resolve));
  }
  await spool.close();
  rmSync(join(directory, 'run.2'));
  assert.deepEqual((await hear(new SpoolReader(spool, 5))).said, [
    '@5',
    'stderr:aaaaa',
    '@20',
    `stderr:${'c'.repeat(10)}`,
  ]);
});

test('what cannot be written is missing, is said, and holds nothing back', LIMIT, async (t) => {
  const failures: unknown[] = [];
  const { spool, directory } = aSpool(t, { onFailed: (error) => failures.push(error) });
  rmSync(directory, { recursive: true });
  assert.equal(spool.append('stdout', text('lost')), true);
  await spool.close();
  assert.equal(failures.length, 1);
  assert.deepEqual((await hear(new SpoolReader(spool, 0))).said, ['@0', '@4']);
});

test(
  'a file that somebody cut, or put something else in the place of, is missing, and holds nothing up',
  LIMIT,
  async (t) => {
    const { spool, directory } = aSpool(t, { segmentBytes: 10 });
    for (const letter of ['a', 'b', 'c']) {
      spool.append('stdout', text(letter.repeat(10)));
      await new Promise<void>((resolve) => spool.follow(resolve));
    }
    await spool.close();
    truncateSync(join(directory, 'run.1'));
    rmSync(join(directory, 'run.2'));
    mkdirSync(join(directory, 'run.2'));
    const { said } = await hear(new SpoolReader(spool, 0));
    assert.deepEqual(said, ['@0', '@10', '@20', `stdout:${'c'.repeat(10)}`]);
  },
);

/** A directory that lets files go as long as it is open. Root may do everything: then we are somebody else meanwhile. */
function aDirectoryToClose(t: TestContext): { readonly directory: string; readonly close: () => void } {
  const isRoot = process.geteuid?.() === 0;
  const directory = newDirectory();
  chmodSync(directory, 0o777);
  if (isRoot) process.seteuid?.('nobody');
  t.after(() => {
    if (isRoot) process.seteuid?.(0);
    chmodSync(directory, 0o700);
    return removeDirectory(directory);
  });
  return {
    directory,
    close: () => {
      if (isRoot) process.seteuid?.(0);
      chmodSync(directory, 0o555);
      if (isRoot) process.seteuid?.('nobody');
    },
  };
}

test('where files cannot be removed they take no room', LIMIT, async (t) => {
  const failures: string[] = [];
  const { directory, close } = aDirectoryToClose(t);
  const onFailed = (_: unknown, attempt: string) => failures.push(attempt);
  const spool = new Spool({ path: join(directory, 'run'), segmentBytes: 10, onFailed });
  for (const letter of ['a', 'b']) {
    spool.append('stdout', text(letter.repeat(10)));
    await new Promise<void>((resolve) => spool.follow(resolve));
  }
  await spool.close();
  close();
  spool.remove();
  assert.deepEqual(failures, ['remove', 'remove']);
  assert.equal(spool.bytes, 0);
  const sizes = readdirSync(directory).map((file) => statSync(join(directory, file)).size);
  assert.deepEqual(sizes, [0, 0]);
});

test('on a full disk what is said is missing, no files pile up, and with room again it is kept', LIMIT, async (t) => {
  const failures: string[] = [];
  if (!needs(t, ['mount', 'umount'], { root: true })) return;
  const directory = newDirectory();
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory]);
  t.after(() => {
    spawnSync('umount', ['-l', directory]);
    return removeDirectory(directory);
  });
  if (mounted.status !== 0) return leaveOut(t, 'this machine does not let root mount a tmpfs');
  const onFailed = (_: unknown, attempt: string) => failures.push(attempt);
  const spool = new Spool({ path: join(directory, 'run'), onFailed });
  const filler = join(directory, 'filler');
  assert.throws(() => writeFileSync(filler, Buffer.alloc(2_000_000)), { code: 'ENOSPC' });
  const grown = () => new Promise<void>((resolve) => spool.follow(resolve));
  for (const letter of ['a', 'b', 'c']) {
    spool.append('stdout', text(letter.repeat(100_000)));
    await grown();
  }
  assert.deepEqual(failures, ['keep', 'keep', 'keep']);
  assert.deepEqual([readdirSync(directory), spool.bytes], [['filler'], 0]);
  rmSync(filler);
  spool.append('stdout', text('there'));
  await spool.close();
  assert.deepEqual((await hear(new SpoolReader(spool, 0))).said, ['@0', '@300000', 'stdout:there']);
});
