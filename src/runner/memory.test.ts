// Pipes in memory: there while they are needed, this user's alone, and nothing else there is touched.

import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { aDirectory } from '../../test/kit/directory.ts';
import { argv, aRunner, finish, firstLineOf, sh } from '../../test/kit/runner.ts';
import { claimMemory, memoryPlace, removeMemory, SHARED_MEMORY } from './memory.ts';

const LIMIT = { timeout: 20_000 };
const MARK = '0123456789abcdef0123456789abcdef';
const lacksMemory = memoryPlace(SHARED_MEMORY, MARK) === undefined && `no tmpfs for all at ${SHARED_MEMORY}`;

const markIn = (directory: string): string =>
  readdirSync(directory)
    .find((name) => name.startsWith('mark-'))
    ?.slice('mark-'.length) ?? '';

test('what is no file system in memory for all is not used', (t) => {
  const directory = aDirectory(t);
  const link = join(aDirectory(t), 'link');
  symlinkSync(SHARED_MEMORY, link);
  chmodSync(directory, 0o1777);
  for (const memory of ['', directory, link, join(directory, 'missing')]) {
    assert.equal(memoryPlace(memory, MARK), undefined, memory);
  }
});

test(
  'the pipes of a runner process are in memory, this user’s alone, and go with it',
  { ...LIMIT, skip: lacksMemory },
  async (t) => {
    const directory = aDirectory(t);
    const before = statSync(SHARED_MEMORY).mode;
    const runner = aRunner(t, { directory });
    const run = runner.start({ command: sh('echo up; cat'), env: {} });
    await firstLineOf(run.stdout);
    const place = memoryPlace(SHARED_MEMORY, markIn(directory));
    assert.ok(place !== undefined);
    assert.equal(statSync(place).mode & 0o777, 0o700);
    assert.ok(readdirSync(place).includes('0-in'));
    assert.deepEqual(
      readdirSync(directory).filter((name) => name.startsWith('pipes-')),
      [],
    );
    run.stderr.resume();
    run.stdin.end();
    await run.ended;
    await runner.close();
    assert.equal(existsSync(place), false);
    assert.equal(statSync(SHARED_MEMORY).mode, before);
  },
);

test('a place that somebody else could enter is not taken for one’s own', (t) => {
  const path = join(aDirectory(t), 'place');
  assert.equal(claimMemory(path), undefined);
  assert.equal(claimMemory(path), undefined);
  chmodSync(path, 0o755);
  assert.equal(claimMemory(path), `Cannot make pipes in ${path}: it is another's`);
  const link = `${path}-link`;
  symlinkSync(path, link);
  assert.equal(claimMemory(link), `Cannot make pipes in ${link}: it is another's`);
});

test('of what is there only the place of the mark is removed', (t) => {
  const memory = aDirectory(t);
  for (const mark of [MARK, 'another']) mkdirSync(join(memory, `partyline-${mark}`));
  removeMemory(memory, MARK);
  removeMemory(memory, 'none');
  assert.deepEqual(readdirSync(memory), ['partyline-another']);
});

test('without it they are in the directory', LIMIT, async (t) => {
  const directory = aDirectory(t);
  const runner = aRunner(t, { directory, memory: '' });
  await finish(runner.start({ command: argv('true'), env: {} }));
  assert.ok(readdirSync(directory).includes('pipes-0'));
});
