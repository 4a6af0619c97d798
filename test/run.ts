// What `npm test` runs: every test that this machine can run, in three groups, and at the end which were left out and
// why. `node test/run.ts PART...` keeps to the files whose path contains one of the parts.

import { globSync } from 'node:fs';
import { join, matchesGlob } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const ROOT = join(import.meta.dirname, '..');
const TESTS = ['src/**/*.test.ts', 'test/*.test.ts', 'test/{contracts,scenarios,fuzz,wire}/**/*.test.ts'];
/** No socket, no process, no clock: one process does for all of them, which is many times faster. */
const PURE = ['src/{core,protocol}/**', 'src/doors/*/translate.test.ts', 'test/layers.test.ts'];
/** They measure the machine, or make hosts of their own on it: one after the other, with nothing beside them. */
const ALONE = ['test/{fuzz,wire}/**'];
/** Processes side by side: they mostly wait, and Node's own choice (cores less one) is one on a small machine. */
const CONCURRENCY = 4;
/** Milliseconds for one test: the longest take less than a minute; what still runs after this hangs. */
const TEST_TIMEOUT_MS = 120_000;

type Settings = { isolation: 'none' } | { isolation: 'process'; concurrency: number };
const sum = { passed: 0, failed: 0, skipped: 0 };
const failed: string[] = [];
const leftOut: string[] = [];

function runGroup(files: readonly string[], settings: Settings): Promise<void> {
  if (files.length === 0) return Promise.resolve();
  const events = run({
    cwd: ROOT,
    files: files.map((file) => join(ROOT, file)),
    timeout: TEST_TIMEOUT_MS,
    ...settings,
  });
  let summed = false;
  events.on('test:fail', ({ name, file, details }) => {
    const { error } = details;
    const isOnlyParent = 'failureType' in error && error.failureType === 'subtestsFailed';
    if (!isOnlyParent) failed.push(`${where(file)}${name}`);
  });
  events.on('test:pass', ({ name, file, skip }) => {
    if (skip !== undefined && skip !== false)
      leftOut.push(`${where(file)}${name}: ${skip === true ? 'skipped' : skip}`);
  });
  events.on('test:summary', ({ file, counts, success }) => {
    if (file !== undefined) return;
    summed = true;
    sum.passed += counts.passed;
    sum.skipped += counts.skipped;
    // Cancelled tests are failures too, and so is a file that broke outside its tests.
    const bad = counts.tests - counts.passed - counts.skipped - counts.todo;
    sum.failed += success ? bad : Math.max(bad, 1);
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  events.once('error', reject);
  events
    .compose(spec)
    .once('error', reject)
    .on('end', () => (summed ? resolve() : reject(new Error('the test runner ended without a summary'))))
    .pipe(process.stdout, { end: false });
  return promise;
}

function where(file: string | undefined): string {
  return file === undefined ? '' : `${file.replace(`${ROOT}/`, '')}: `;
}

function print(heading: string, lines: readonly string[]): void {
  if (lines.length > 0) process.stdout.write(`\n${heading}\n${lines.map((line) => `  ${line}\n`).join('')}`);
}

const parts = process.argv.slice(2);
const all = globSync(TESTS, { cwd: ROOT })
  .filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)))
  .sort();
const isPure = (file: string): boolean => PURE.some((pattern) => matchesGlob(file, pattern));
const isAlone = (file: string): boolean => ALONE.some((pattern) => matchesGlob(file, pattern));

await runGroup(all.filter(isPure), { isolation: 'none' });
await runGroup(
  all.filter((file) => !isPure(file) && !isAlone(file)),
  { isolation: 'process', concurrency: CONCURRENCY },
);
await runGroup(all.filter(isAlone), { isolation: 'process', concurrency: 1 });

print('Failed:', failed);
print('Left out:', leftOut);
process.stdout.write(`\n${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped\n`);
process.exitCode = sum.failed > 0 || sum.passed === 0 ? 1 : 0;
