// Server and runner process killed in one moment: what is left is ended by whoever starts next in the same directory.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { aDirectory } from '../../test/kit/directory.ts';
import { countMarked, ESCAPES, lacksCgroups, lacksMarks, UNMARKED } from '../../test/kit/escapees.ts';
import { until } from '../../test/kit/proc.ts';
import { aRunner, lifeline } from '../../test/kit/runner.ts';
import { dropMark } from './marks.ts';
import { everyone } from './members.ts';
import { memoryPlace, SHARED_MEMORY } from './memory.ts';
import { createRunner } from './runner.ts';

const LIMIT = { timeout: 30_000 };
const PARENT = fileURLToPath(new URL('../../test/kit/runner-parent.ts', import.meta.url));
const [LEAVES = '', , DAEMON = ''] = Object.values(ESCAPES);
const HOLDS = [
  { hold: 'cgroup', skip: lacksCgroups },
  { hold: 'mark', skip: lacksMarks },
] as const;

interface Parent {
  readonly hold: string;
  readonly line: string;
  readonly graceMs?: number;
}

/** A server in miniature whose command says a line: `said`. */
function aParent(t: TestContext, { hold, line, graceMs = 400 }: Parent) {
  const directory = join(aDirectory(t), 'run');
  const args = [PARENT, directory, line, hold, String(graceMs)];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGKILL');
    await exited;
    // A test that failed half way leaves nothing either.
    await createRunner({ directory }).close();
  });
  const lines = child.stdout.setEncoding('utf8').iterator();
  const heard = async () => String((await lines.next()).value).trim();
  return { directory, child, exited, heard };
}

function marksIn(directory: string): string[] {
  const names = existsSync(directory) ? readdirSync(directory) : [];
  return names.flatMap((name) => (name.startsWith('mark-') ? [name.slice('mark-'.length)] : []));
}

const runnerOf = (parent: number | undefined) => everyone().find((member) => member.parent === parent)?.pid;

/** Both in one moment: the server is stopped first, so that it sees nothing of its runner's death. */
async function killBoth({ child, exited }: ReturnType<typeof aParent>, runner: number): Promise<void> {
  child.kill('SIGSTOP');
  process.kill(runner, 'SIGKILL');
  child.kill('SIGKILL');
  await exited;
}

/** Where the runner process of the server in this directory has its pipes. */
function pipesOf(directory: string): string {
  return memoryPlace(SHARED_MEMORY, marksIn(directory)[0] ?? 'none') ?? join(directory, 'pipes-0');
}

/** The next server starts there, and in the end nothing of the earlier one is left, nor kept. */
async function startNext(t: TestContext, directory: string): Promise<void> {
  const [mark = ''] = marksIn(directory);
  assert.match(mark, /^[0-9a-f]{32}$/);
  aRunner(t, { directory });
  await until(() => countMarked(mark) === 0, 'nobody has the mark');
  await until(() => marksIn(directory).length === 0, 'the mark is not kept any more');
  const inMemory = memoryPlace(SHARED_MEMORY, mark);
  assert.ok(inMemory === undefined || !existsSync(inMemory));
}

for (const { hold, skip } of HOLDS) {
  test(`what runs when both are killed is gone after the next start, by ${hold}`, { ...LIMIT, skip }, async (t) => {
    const { path, gone } = lifeline(t);
    const file = join(aDirectory(t), 'up');
    const parent = aParent(t, { hold, line: `echo $PPID; exec 9>${path} >${file}; ${DAEMON}` });
    const runner = Number(await parent.heard());
    const [mark = ''] = marksIn(parent.directory);
    await until(() => existsSync(file) && readFileSync(file, 'utf8') === 'up\n', 'the daemon is there');
    const isGone = gone();
    await killBoth(parent, runner);
    assert.ok(countMarked(mark) > 0);
    await startNext(t, parent.directory);
    await isGone;
  });

  test(`both killed while a run is being ended, by ${hold}`, { ...LIMIT, skip }, async (t) => {
    const { path, gone } = lifeline(t);
    const line = `trap '' HUP TERM; exec 9>${path}; setsid sh -c 'sleep 1000' & echo $PPID; while :; do read x; done`;
    const parent = aParent(t, { hold, line, graceMs: 20_000 });
    const runner = Number(await parent.heard());
    const isGone = gone();
    parent.child.stdin.write('cancel\n');
    assert.equal(await parent.heard(), 'cancelled');
    await killBoth(parent, runner);
    await startNext(t, parent.directory);
    await isGone;
  });

  test(`both killed while a command is on its way, by ${hold}`, { ...LIMIT, skip }, async (t) => {
    const phases: ((directory: string) => boolean)[] = [
      (directory) => marksIn(directory).length > 0,
      (directory) => existsSync(join(pipesOf(directory), '0-in')),
      (directory) => existsSync(join(pipesOf(directory), '31-err')),
      (directory) => countMarked(`${marksIn(directory)[0]}-0`) > 0,
    ];
    for (const phase of phases) {
      const parent = aParent(t, { hold, line: LEAVES });
      await until(() => phase(parent.directory), 'the command is on its way');
      const runner = runnerOf(parent.child.pid);
      assert.ok(runner !== undefined);
      await killBoth(parent, runner);
      await startNext(t, parent.directory);
    }
  });

  test(`a runner process that survives its server ends its runs itself, by ${hold}`, { ...LIMIT, skip }, async (t) => {
    const { path, gone } = lifeline(t);
    const parent = aParent(t, { hold, line: `exec 9>${path}; ${LEAVES}` });
    assert.equal(await parent.heard(), 'up');
    const isGone = gone();
    parent.child.kill('SIGKILL');
    await isGone;
    await parent.exited;
    await startNext(t, parent.directory);
  });

  test(`it has its time when the next server starts at once, by ${hold}`, { ...LIMIT, skip }, async (t) => {
    const { path, gone } = lifeline(t);
    const file = join(aDirectory(t), 'done');
    const line = `trap '' TERM; trap 'sleep 0.3; echo done >${file}; exit' HUP; exec 9>${path}; echo $PPID; while :; do sleep 1 & wait; done`;
    const parent = aParent(t, { hold, line, graceMs: 1_500 });
    await parent.heard();
    const isGone = gone();
    parent.child.kill('SIGKILL');
    await parent.exited;
    await startNext(t, parent.directory);
    await isGone;
    assert.equal(readFileSync(file, 'utf8'), 'done\n');
  });

  test(`the runs of a server that is there are left alone, by ${hold}`, { ...LIMIT, skip }, async (t) => {
    const parent = aParent(t, { hold, line: 'echo up; read x; echo still' });
    assert.equal(await parent.heard(), 'up');
    const [mark = ''] = marksIn(parent.directory);
    const before = countMarked(mark);
    await aRunner(t, { directory: parent.directory }).close();
    assert.equal(countMarked(mark), before);
    assert.deepEqual(marksIn(parent.directory), [mark]);
  });
}

test('what has no mark is gone after the next start too, by cgroup', { ...LIMIT, skip: lacksCgroups }, async (t) => {
  const { path, gone } = lifeline(t);
  const parent = aParent(t, { hold: 'cgroup', line: `exec 9>${path}; ${UNMARKED}` });
  assert.equal(await parent.heard(), 'up');
  const runner = runnerOf(parent.child.pid) ?? 0;
  const isGone = gone();
  await killBoth(parent, runner);
  await startNext(t, parent.directory);
  await isGone;
});

test('a file that is cut short, and one that names a cgroup of others, end nothing of theirs', LIMIT, async (t) => {
  const directory = join(aDirectory(t), 'run');
  mkdirSync(directory, { mode: 0o700 });
  const [short, foreign] = ['a'.repeat(32), 'b'.repeat(32)];
  writeFileSync(join(directory, `mark-${short}`), '{"pid":');
  writeFileSync(join(directory, `mark-${foreign}`), JSON.stringify({ pid: 1, started: -1, cgroup: directory }));
  writeFileSync(join(directory, 'mark-of-nobody'), '');
  writeFileSync(join(directory, 'cgroup.kill'), 'untouched');
  await aRunner(t, { directory }).close();
  assert.deepEqual(readdirSync(directory).toSorted(), ['cgroup.kill', 'mark-of-nobody']);
  assert.equal(readFileSync(join(directory, 'cgroup.kill'), 'utf8'), 'untouched');
});

test('a mark that cannot be removed is left to the next start', (t) => {
  const directory = aDirectory(t);
  const mark = 'a'.repeat(32);
  // Nobody removes that as a file, root neither.
  mkdirSync(join(directory, `mark-${mark}`));
  dropMark(directory, { mark });
  assert.deepEqual(marksIn(directory), [mark]);
});
