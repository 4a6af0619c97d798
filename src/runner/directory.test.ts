import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { getuid } from 'node:process';
import { test } from 'node:test';
import { aDirectory } from '../../test/kit/directory.ts';
import { argv, aRunner, finish, firstLineOf, sh } from '../../test/kit/runner.ts';

const LIMIT = { timeout: 20_000 };
const env = {};
const DONE = { result: 'exited', status: 0 };

test('pipes of an earlier server are removed, and nothing else', LIMIT, async (t) => {
  const directory = aDirectory(t);
  mkdirSync(join(directory, 'pipes-7'));
  writeFileSync(join(directory, 'pipes-7', '1-in'), '');
  writeFileSync(join(directory, 'pipes-8'), '');
  writeFileSync(join(directory, 'precious'), '');
  const runner = aRunner(t, { memory: '', directory });
  assert.deepEqual((await finish(runner.start({ command: argv('true'), env }))).result, DONE);
  assert.equal(existsSync(join(directory, 'pipes-7')), false);
  assert.equal(existsSync(join(directory, 'pipes-8')), true);
  assert.equal(existsSync(join(directory, 'precious')), true);
});

test('a link in place of the directory is refused, and what it leads to stays as it is', LIMIT, async (t) => {
  const target = aDirectory(t);
  mkdirSync(join(target, 'pipes-7'));
  chmodSync(target, 0o755);
  const link = join(aDirectory(t), 'pipes');
  symlinkSync(target, link);
  for (const directory of [link, `${link}/`]) {
    const runner = aRunner(t, { memory: '', directory });
    const { result } = await finish(runner.start({ command: argv('true'), env }));
    const reason = `Cannot make pipes in ${link}: it is not a directory; nothing was started`;
    assert.deepEqual(result, { result: 'denied', status: null, reason });
  }
  assert.equal(statSync(target).mode & 0o777, 0o755);
  assert.deepEqual(readdirSync(target), ['pipes-7']);
});

test('a file, and a link that leads nowhere, are refused in one sentence', LIMIT, async (t) => {
  const directory = join(aDirectory(t), 'pipes');
  const reason = `Cannot make pipes in ${directory}: it is not a directory; nothing was started`;
  const runner = aRunner(t, { memory: '', directory });
  writeFileSync(directory, '');
  assert.deepEqual((await finish(runner.start({ command: argv('true'), env }))).result, {
    result: 'denied',
    status: null,
    reason,
  });
  rmSync(directory);
  symlinkSync(`${directory}-nowhere`, directory);
  assert.deepEqual((await finish(runner.start({ command: argv('true'), env }))).result, {
    result: 'denied',
    status: null,
    reason,
  });
  rmSync(directory);
  assert.deepEqual((await finish(runner.start({ command: argv('true'), env }))).result, DONE);
});

test('links among the pipes of an earlier server stay, and so does what they lead to', LIMIT, async (t) => {
  const directory = aDirectory(t);
  const target = aDirectory(t);
  writeFileSync(join(target, 'precious'), '');
  symlinkSync(target, join(directory, 'pipes-0'));
  const runner = aRunner(t, { memory: '', directory });
  assert.deepEqual((await finish(runner.start({ command: argv('true'), env }))).result, DONE);
  assert.deepEqual(readdirSync(target), ['precious']);
  const names = readdirSync(directory).filter((name) => !name.startsWith('mark-'));
  assert.deepEqual(names.toSorted(), ['pipes-0', 'pipes-1']);
});

test(
  'a directory of another user is refused',
  { ...LIMIT, skip: getuid?.() !== 0 && 'only root may give a directory away' },
  async (t) => {
    const directory = aDirectory(t);
    chownSync(directory, 65_534, 65_534);
    const { result } = await finish(aRunner(t, { memory: '', directory }).start({ command: argv('true'), env }));
    const reason = `Cannot make pipes in ${directory}: it belongs to another user; nothing was started`;
    assert.deepEqual(result, { result: 'denied', status: null, reason });
  },
);

test('a directory that was removed is made again, and running commands go on', LIMIT, async (t) => {
  const directory = join(aDirectory(t), 'pipes');
  const runner = aRunner(t, { memory: '', directory });
  const before = runner.start({ command: sh('echo up; cat'), env });
  await firstLineOf(before.stdout);
  for (const gone of [directory, join(directory, 'pipes-0')]) {
    rmSync(gone, { recursive: true });
    const runs = Array.from({ length: 40 }, (_, number) => runner.start({ command: argv('echo', `${number}`), env }));
    const outcomes = await Promise.all(runs.map((run) => finish(run)));
    for (const [number, { result, stdout }] of outcomes.entries()) {
      assert.deepEqual(result, DONE);
      assert.equal(stdout, `${number}\n`);
    }
  }
  assert.deepEqual((await finish(before, 'still here')).result, DONE);
});

test('pipes that cannot be made are one line to whoever wanted them', LIMIT, async (t) => {
  const directory = join(aDirectory(t), 'pipes');
  const runner = aRunner(t, { memory: '', directory });
  await finish(runner.start({ command: argv('true'), env }));
  // The second batch of names is taken already, as if the machine had no room for them.
  const own = join(directory, 'pipes-0');
  for (let number = 32; number < 64; number++) mkdirSync(join(own, `${number}-in`));
  const runs = Array.from({ length: 40 }, () => runner.start({ command: argv('true'), env }));
  const results = await Promise.all(runs.map(async (run) => (await finish(run)).result));
  const denied = results.filter(({ result }) => result === 'denied');
  assert.ok(denied.length > 0);
  for (const result of denied) {
    assert.deepEqual(result, {
      result: 'denied',
      status: null,
      reason: `Cannot make pipes in ${own}: file exists; nothing was started`,
    });
  }
  for (let number = 32; number < 64; number++) rmdirSync(join(own, `${number}-in`));
  assert.deepEqual((await finish(runner.start({ command: argv('true'), env }))).result, DONE);
});
