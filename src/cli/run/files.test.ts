import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { aDirectory } from '../../../test/kit/directory.ts';
import { emptyFiles, faultOfFiles, FileView } from './files.ts';
import type { View } from './view.ts';

/** Of what is told beside the files. */
const NO_VIEW: View = {
  output: (_host, _given, done) => done(),
  outputEnd() {},
  ended() {},
  hurry() {},
  close: () => Promise.resolve(),
  failure: undefined,
  isBehind: false,
};

/** What is in the place of a file, made there. */
const OTHERS: readonly [what: string, make: (path: string) => void][] = [
  ['a named pipe', (path) => execFileSync('mkfifo', [path])],
  ['a directory', (path) => mkdirSync(path)],
  ['a symbolic link', (path) => symlinkSync('target', path)],
];

function hello(directory: string): {
  readonly view: FileView;
  readonly dropped: string[];
  readonly done: Promise<void>;
} {
  const dropped: string[] = [];
  const view = new FileView(directory, {
    drop: (name, host) => dropped.push(`${host}.${name}`),
    ends: NO_VIEW,
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  view.output('web1', { stream: 'stdout', bytes: new TextEncoder().encode('hello') }, resolve);
  return { view, dropped, done: promise };
}

test('a file that an earlier run has left is overwritten, and empty output makes none', async (t) => {
  const directory = aDirectory(t);
  writeFileSync(join(directory, 'web1.stdout'), 'longer than that');
  assert.equal(faultOfFiles(directory, ['web1', 'web2']), undefined);
  const { view, done } = hello(directory);
  await done;
  view.outputEnd('web1', 'stderr');
  await view.close();
  assert.equal(view.failure, undefined);
  assert.deepEqual(readdirSync(directory), ['web1.stdout']);
  assert.equal(readFileSync(join(directory, 'web1.stdout'), 'utf8'), 'hello');
});

test('what an earlier run has left of these machines is emptied, none is made, and others are left alone', (t) => {
  const directory = aDirectory(t);
  const left = ['web1.stdout', 'web1.stderr', 'web2.stderr', 'web9.stdout', 'notes'];
  for (const name of left) writeFileSync(join(directory, name), 'yesterday');
  assert.equal(faultOfFiles(directory, ['web1', 'web2']), undefined);
  assert.equal(readFileSync(join(directory, 'web1.stderr'), 'utf8'), 'yesterday', 'to look does nothing');
  assert.equal(emptyFiles(directory, ['web1', 'web2']), undefined);
  assert.deepEqual(
    readdirSync(directory).filter((name) => readFileSync(join(directory, name), 'utf8') === ''),
    ['web1.stderr', 'web1.stdout', 'web2.stderr'],
  );
  assert.deepEqual(readdirSync(directory), left.toSorted());
});

test('nothing is emptied where one cannot be, or the directory has gone', (t) => {
  const directory = aDirectory(t);
  writeFileSync(join(directory, 'web1.stdout'), 'yesterday');
  symlinkSync('web1.stdout', join(directory, 'web2.stdout'));
  assert.match(
    emptyFiles(directory, ['web1', 'web2']) ?? '',
    /web2\.stdout": it is a symbolic link; nothing was started$/,
  );
  assert.equal(readFileSync(join(directory, 'web1.stdout'), 'utf8'), 'yesterday');
  const gone = join(directory, 'gone');
  assert.equal(emptyFiles(gone, ['web1']), `Cannot write into "${gone}": it is not there; nothing was started`);
});

for (const [what, make] of OTHERS) {
  test(`${what} in the place of a file is found at the beginning, and later left alone`, async (t) => {
    const directory = aDirectory(t);
    writeFileSync(join(directory, 'target'), 'precious');
    make(join(directory, 'web1.stdout'));
    const fault = `Cannot write "${join(directory, 'web1.stdout')}": it is ${what}; nothing was started`;
    assert.equal(faultOfFiles(directory, ['web2', 'web1']), fault);
    const { view, dropped, done } = hello(directory);
    await done;
    await view.close();
    assert.match(view.failure ?? '', /web1\.stdout: it is /);
    assert.deepEqual(dropped, ['web1.stdout']);
    assert.equal(readFileSync(join(directory, 'target'), 'utf8'), 'precious');
  });
}
