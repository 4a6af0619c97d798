// What leaves its session, its parents or its environment, and is gone all the same when its run is over.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { aDirectory } from '../../test/kit/directory.ts';
import { BOMB, ESCAPES, HOPPER, lacksCgroups, lacksMarks, UNMARKED } from '../../test/kit/escapees.ts';
import { until } from '../../test/kit/proc.ts';
import { argv, aRunner, finish, firstLineOf, lifeline, sh, upInTime } from '../../test/kit/runner.ts';
import type { RunnerOptions } from './runner.ts';

const LIMIT = { timeout: 30_000 };
const env = {};
const HOLDS = [
  { hold: 'cgroup', skip: lacksCgroups },
  { hold: 'mark', skip: lacksMarks },
] as const;

/** A run of the line, which holds the lifeline and has said "up". */
async function escaped(t: TestContext, { line, ...options }: { line: string } & Partial<RunnerOptions>) {
  const { path, gone } = lifeline(t);
  const runner = aRunner(t, options);
  const run = runner.start({ command: sh(`exec 9>${path}; ${line}`), env });
  run.stderr.resume();
  assert.equal(await firstLineOf(run.stdout), 'up');
  return { run, runner, isGone: gone() };
}

for (const { hold, skip } of HOLDS) {
  for (const [name, line] of Object.entries(ESCAPES)) {
    test(`${name} is gone when its run was cancelled, by ${hold}`, { ...LIMIT, skip }, async (t) => {
      const { run, isGone } = await escaped(t, { line, hold });
      run.cancel();
      assert.equal((await run.ended).result, 'cancelled');
      await isGone;
    });

    test(`${name} is gone when its run has ended by itself, by ${hold}`, { ...LIMIT, skip }, async (t) => {
      const { run, isGone } = await escaped(t, { line: `${line}; exit 3`, hold });
      run.stdin.end();
      assert.deepEqual(await run.ended, { result: 'exited', status: 3 });
      await isGone;
    });
  }

  test(`what left its session is gone past its time, by ${hold}`, { ...LIMIT, skip }, async (t) => {
    const { path, gone } = lifeline(t);
    const runner = aRunner(t, { hold });
    const line = `exec 9>${path}; ${Object.values(ESCAPES)[0]}`;
    const run = await upInTime((timeoutMs) => runner.start({ command: sh(line), env, timeoutMs }));
    const isGone = gone();
    assert.deepEqual(await run.ended, { result: 'timeout', status: 124 });
    await isGone;
  });

  test(`sixty that each leave for a session of their own are gone, by ${hold}`, { ...LIMIT, skip }, async (t) => {
    const { run, isGone } = await escaped(t, { line: BOMB, hold });
    run.cancel();
    assert.equal((await run.ended).result, 'cancelled');
    await isGone;
  });

  test(`what left its session is sent HUP and TERM before KILL, by ${hold}`, { ...LIMIT, skip }, async (t) => {
    const listener = `trap "echo hup" HUP; trap "echo term; exit" TERM; echo up; while :; do sleep 1 & wait; done`;
    const line = `(setsid sh -c '${listener}' & exec sleep 1000) & read line`;
    const { path, gone } = lifeline(t);
    const run = aRunner(t, { hold, killGraceMs: 5_000, drainMs: 5_000 }).start({
      command: sh(`exec 9>${path}; ${line}`),
      env,
    });
    run.stderr.resume();
    let heard = '';
    run.stdout.onData((chunk) => (heard += Buffer.from(chunk).toString()));
    run.stdout.resume();
    await until(() => heard === 'up\n', 'it is up');
    const isGone = gone();
    run.cancel();
    await run.ended;
    assert.equal(heard, 'up\nhup\nterm\n');
    await isGone;
  });

  test(`what a run did not start is left alone, by ${hold}`, { ...LIMIT, skip }, async (t) => {
    const runner = aRunner(t, { hold });
    const stays = runner.start({ command: sh('setsid cat'), env });
    stays.stdin.write(Buffer.from('first\n'));
    assert.equal(await firstLineOf(stays.stdout), 'first');
    const { run, isGone } = await escaped(t, { line: Object.values(ESCAPES)[0] ?? '', hold });
    const own = runner.start({ command: sh('echo up; setsid sleep 1000'), env });
    own.stderr.resume();
    await firstLineOf(own.stdout);
    run.cancel();
    own.cancel();
    await Promise.all([run.ended, own.ended, isGone]);
    assert.deepEqual((await finish(stays, 'second\n')).result, { result: 'exited', status: 0 });
  });

  test(`when the runner process is killed nothing is left, by ${hold}`, { ...LIMIT, skip }, async (t) => {
    const { path, gone } = lifeline(t);
    const directory = join(aDirectory(t), 'run');
    const runner = aRunner(t, { hold, directory });
    const line = `exec 9>${path}; ${Object.values(ESCAPES)[2]}`;
    const run = runner.start({ command: sh(`echo $PPID; ${line}`), env });
    run.stderr.resume();
    let heard = '';
    run.stdout.onData((chunk) => (heard += Buffer.from(chunk).toString()));
    run.stdout.resume();
    await until(() => heard.endsWith('up\n'), 'it is up');
    const isGone = gone();
    const { cgroup } = keptIn(directory);
    process.kill(Number.parseInt(heard, 10), 'SIGKILL');
    assert.equal((await run.ended).result, 'lost');
    await isGone;
    await until(() => marksIn(directory).length === 0, 'the mark is not kept any more');
    assert.ok(cgroup === undefined || !existsSync(cgroup));
  });
}

test('what has neither its mark nor a parent is gone too, by cgroup', { ...LIMIT, skip: lacksCgroups }, async (t) => {
  const { run, isGone } = await escaped(t, { line: UNMARKED });
  run.cancel();
  assert.equal((await run.ended).result, 'cancelled');
  await isGone;
  const later = await escaped(t, { line: `${UNMARKED}; exit 3` });
  later.run.stdin.end();
  assert.deepEqual(await later.run.ended, { result: 'exited', status: 3 });
  await later.isGone;
});

test('what is gone whenever one looks is gone for good, by cgroup', { ...LIMIT, skip: lacksCgroups }, async (t) => {
  const { run, isGone } = await escaped(t, { line: HOPPER });
  run.cancel();
  await Promise.all([run.ended, isGone]);
});

test(
  'what emptied its environment is found while its parent is there, by mark',
  { ...LIMIT, skip: lacksMarks },
  async (t) => {
    const line = `env -i PATH="$PATH" setsid sh -c 'trap "" HUP TERM; echo up; exec sleep 1000 >/dev/null' & read line`;
    const { run, isGone } = await escaped(t, { line, hold: 'mark' });
    run.cancel();
    await Promise.all([run.ended, isGone]);
  },
);

test('cgroups are used again, and removed at the end', { ...LIMIT, skip: lacksCgroups }, async (t) => {
  const directory = join(aDirectory(t), 'run');
  const runner = aRunner(t, { directory });
  for (let round = 0; round < 3; round++) {
    const runs = Array.from({ length: 40 }, () => runner.start({ command: argv('true'), env }));
    await Promise.all(runs.map((run) => finish(run)));
  }
  const { cgroup = '' } = keptIn(directory);
  const seats = readdirSync(cgroup, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  assert.ok(seats.length > 0 && seats.length <= 41, `${seats.length} cgroups`);
  await runner.close();
  await until(() => !existsSync(cgroup), 'the cgroups are removed');
  assert.deepEqual(marksIn(directory), []);
});

/** A line that says in which cgroup it is, before the rest of it. */
const PLACE = 'while read -r at; do case $at in 0::*) echo $at ;; esac; done </proc/self/cgroup';

test('no command is born where something of another still is', { ...LIMIT, skip: lacksCgroups }, async (t) => {
  const runner = aRunner(t, { killGraceMs: 300 });
  const begin = (line: string) => {
    const run = runner.start({ command: sh(`${PLACE}; ${line}`), env });
    run.stderr.resume();
    return { run, where: firstLineOf(run.stdout) };
  };
  // Asked for in one go.
  const stay = Array.from({ length: 5 }, () => begin('exec sleep 1000'));
  const places = await Promise.all(stay.map(({ where }) => where));
  const left: Promise<unknown>[] = [];
  for (let round = 0; round < 10; round++) {
    // It is over at once, and has left a child that takes neither HUP nor TERM.
    const { run, where } = begin('(trap "" HUP TERM; exec sleep 1000 >/dev/null 2>&1) &');
    places.push(await where);
    left.push(run.ended);
  }
  assert.equal(new Set(places).size, places.length, places.join());
  for (const { run } of stay) run.cancel();
  await Promise.all([...stay.map(({ run }) => run.ended), ...left]);
});

test('a command that is over at once leaves its place to the next one', { ...LIMIT, skip: lacksCgroups }, async (t) => {
  const runner = aRunner(t);
  let last = '';
  // On a busy machine the runner process has moved on before some are over.
  for (let again = false; !again;) {
    const { stdout } = await finish(runner.start({ command: sh(PLACE), env }));
    again = stdout === last;
    last = stdout;
  }
  assert.match(last, /^0::/);
});

test('where no more cgroups can be made, runs have their mark', { ...LIMIT, skip: lacksCgroups }, async (t) => {
  const directory = join(aDirectory(t), 'run');
  const warnings: string[] = [];
  const runner = aRunner(t, { directory, log: { warn: (event) => warnings.push(event) } });
  const line = Object.values(ESCAPES)[0] ?? '';
  const lines = [lifeline(t), lifeline(t), lifeline(t)];
  const begin = async ({ path }: { path: string }) => {
    const run = runner.start({ command: sh(`exec 9>${path}; ${line}`), env });
    run.stderr.resume();
    assert.equal(await firstLineOf(run.stdout), 'up');
    return run;
  };
  const [one, two, three] = lines;
  assert.ok(one && two && three);
  const first = await begin(one);
  writeFileSync(`${keptIn(directory).cgroup}/cgroup.max.descendants`, '0');
  // Born where the runner process sits already, and then it finds no next place.
  const second = await begin(two);
  const third = await begin(three);
  assert.deepEqual(warnings, ['runs without cgroups']);
  const gone = lines.map((each) => each.gone());
  for (const [index, run] of [second, third, first].entries()) {
    run.cancel();
    assert.equal((await run.ended).result, 'cancelled');
    await gone[[1, 2, 0][index] ?? 0];
  }
});

interface Kept {
  readonly cgroup?: string;
}

function marksIn(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.startsWith('mark-'));
}

function keptIn(directory: string): Kept {
  const [name = ''] = marksIn(directory);
  const kept: Kept = JSON.parse(readFileSync(join(directory, name), 'utf8'));
  return kept;
}
