// Runs that nobody waits for: what is kept of them, for how long, and who may do what with them.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { aDirectory } from '../../test/kit/directory.ts';
import { argv, aRunner, bytes, sh } from '../../test/kit/runner.ts';
import type { Attachment, DetachedEnd } from '../core/run/detached.ts';
import { TaggedDecoder } from '../protocol/native/tagged.ts';
import { DetachedRuns, type DetachedRunsOptions } from './detached-runs.ts';

const LIMIT = { timeout: 20_000 };
const DAY_MS = 86_400_000;

function someRuns(
  t: TestContext,
  options: Partial<DetachedRunsOptions> = {},
): { runs: DetachedRuns; directory: string } {
  const directory = options.directory ?? join(aDirectory(t), 'detached');
  const runner = aRunner(t);
  const runs = new DetachedRuns({ runner, directory, onTrouble: assert.fail, ...options });
  t.after(async () => {
    await runner.close();
    await runs.close();
  });
  return { runs, directory };
}

const key = (number: number) => String(number).padStart(32, '0');

async function start(runs: DetachedRuns, number: number, line: string, takesInput = false): Promise<void> {
  const refused = await runs.start({ key: key(number), command: sh(line), env: {}, takesInput, keptBytes: 20 });
  assert.equal(refused, undefined);
}

function attach(runs: DetachedRuns, number: number, { from = 0, givesInput = false } = {}): Attachment {
  const attaching = runs.attach(key(number), { from, givesInput });
  assert.ok('attachment' in attaching, JSON.stringify(attaching));
  return attaching.attachment;
}

/** Everything to the end. `until`: settles when that has been heard. */
function hear({ output }: Attachment, until = '\0') {
  const decoder = new TaggedDecoder();
  const heard = { stdout: '', stderr: '', all: '' };
  const { promise: found, resolve } = Promise.withResolvers<void>();
  const ended = new Promise<typeof heard>((done) => output.onEnd(() => done(heard)));
  output.onData((chunk) => {
    for (const piece of decoder.receive(chunk) ?? []) {
      if (piece.type === 'position') continue;
      const text = Buffer.from(piece.bytes).toString('latin1');
      heard[piece.type] += text;
      heard.all += text;
    }
    if (heard.all.includes(until)) resolve();
  });
  output.resume();
  return { ended, found };
}

async function endOf(runs: DetachedRuns, number: number): Promise<DetachedEnd> {
  const end = await runs.ended(key(number));
  assert.ok(end !== 'unknown');
  return end;
}

test('a run goes on without anybody, and who comes later has all of it, and how it ended', LIMIT, async (t) => {
  const { runs } = someRuns(t);
  await start(runs, 1, 'echo out; echo err >&2; head -c 100000 /dev/zero | tr "\\0" x; exit 5');
  const { result, streams } = await endOf(runs, 1);
  assert.deepEqual(result, { result: 'exited', status: 5 });
  const stdout = `out\n${'x'.repeat(100_000)}`;
  assert.equal(streams.stdout.bytes, stdout.length);
  assert.equal(streams.stdout.sha256, createHash('sha256').update(stdout).digest('hex'));
  assert.equal(Buffer.from(streams.stdout.head).toString(), stdout.slice(0, 10));
  assert.equal(Buffer.from(streams.stdout.tail).toString(), 'x'.repeat(10));
  assert.equal(streams.stderr.bytes, 4);
  const attachment = attach(runs, 1);
  const heard = await hear(attachment).ended;
  assert.equal(heard.stdout, stdout);
  assert.equal(heard.stderr, 'err\n');
  assert.deepEqual(await attachment.ended, result);
  assert.deepEqual(await endOf(runs, 1), { result, streams });
});

test('whoever attaches while it runs has what was and what comes; leaving ends nothing', LIMIT, async (t) => {
  const { runs } = someRuns(t);
  await start(runs, 1, 'echo begun; read line; echo "got $line"', true);
  const stalled = attach(runs, 1);
  const watcher = attach(runs, 1);
  const leaver = attach(runs, 1);
  const watching = hear(watcher, 'begun\n');
  const leaving = hear(leaver, 'begun\n');
  await Promise.all([watching.found, leaving.found]);
  leaver.leave();
  // Nor does it end what another gives.
  watcher.stdin.end();
  const giver = attach(runs, 1, { givesInput: true });
  assert.deepEqual(runs.attach(key(1), { from: 0, givesInput: true }), {
    refused: 'input-taken',
    reason: 'somebody is attached already who gives it input',
  });
  giver.leave();
  // What the one before had not ended, the next goes on with.
  const next = attach(runs, 1, { givesInput: true });
  giver.stdin.end();
  next.stdin.write(bytes('word\n'));
  assert.equal((await watching.ended).all, 'begun\ngot word\n');
  assert.deepEqual(await watcher.ended, { result: 'exited', status: 0 });
  assert.equal((await endOf(runs, 1)).streams.stdin.bytes, 5);
  assert.equal((await hear(stalled).ended).all, 'begun\ngot word\n');
});

test('without input its input is empty, and nobody can give it any', LIMIT, async (t) => {
  const { runs } = someRuns(t);
  await start(runs, 1, 'cat; echo done');
  const refused = runs.attach(key(1), { from: 0, givesInput: true });
  assert.equal('refused' in refused && refused.refused, 'no-input');
  assert.equal((await hear(attach(runs, 1)).ended).all, 'done\n');
});

test('so many watch at once, and who has left or heard the end counts no more', LIMIT, async (t) => {
  const { runs } = someRuns(t);
  await start(runs, 1, 'sleep 1000');
  const all = Array.from({ length: 256 }, () => attach(runs, 1));
  const refused = runs.attach(key(1), { from: 0, givesInput: false });
  assert.equal('refused' in refused && refused.refused, 'too-many-watchers');
  all[0]?.leave();
  all[0]?.leave();
  const another = hear(attach(runs, 1));
  assert.ok('refused' in runs.attach(key(1), { from: 0, givesInput: false }));
  runs.cancel(key(1));
  await another.ended;
  attach(runs, 1).leave();
});

test('a cancelled run ends, and whoever watches is told', LIMIT, async (t) => {
  const { runs } = someRuns(t);
  await start(runs, 1, 'echo begun; sleep 1000');
  const attachment = attach(runs, 1);
  const watching = hear(attachment, 'begun\n');
  await watching.found;
  runs.cancel(key(1));
  assert.equal((await attachment.ended).result, 'cancelled');
  await watching.ended;
  assert.equal((await endOf(runs, 1)).result.result, 'cancelled');
  runs.cancel(key(1));
  runs.cancel(key(9));
});

test('a run that says more than its bound goes on, and its record counts all of it', LIMIT, async (t) => {
  const { runs, directory } = someRuns(t, { maxSpoolBytes: 200_000 });
  await start(runs, 1, 'head -c 3000000 /dev/zero | tr "\\0" y; echo end');
  assert.equal((await endOf(runs, 1)).streams.stdout.bytes, 3_000_004);
  const heard = await hear(attach(runs, 1)).ended;
  assert.ok(heard.stdout.length < 200_000);
  assert.ok(heard.stdout.endsWith('yend\n'));
  assert.ok(readdirSync(directory).length >= 1);
});

test('of a command that is not there it is said at once, and its end is kept as any', LIMIT, async (t) => {
  // A shell's word is waited for as long as the test may take.
  const { runs } = someRuns(t, { atOnceMs: 20_000 });
  const given = { env: {}, takesInput: false, keptBytes: 0 };
  for (const [number, command, status, reason] of [
    [1, argv('no-such-program', 'x'), 127, /^no-such-program: not found$/],
    [2, argv('/etc/passwd'), 126, /^\/etc\/passwd: permission denied$/],
    [3, sh('no-such-program'), 127, /no-such-program: not found$/],
    [4, sh('exit 127'), 127, /^it could not be started$/],
  ] as const) {
    const answer = await runs.start({ key: key(number), command, ...given });
    assert.ok(answer !== undefined && 'failed' in answer, `${number}`);
    assert.deepEqual([answer.failed.result, answer.failed.status], ['exited', status]);
    assert.match(answer.failed.reason, reason);
    assert.deepEqual((await endOf(runs, number)).result, { result: 'exited', status });
  }
  assert.match((await hear(attach(runs, 1)).ended).stderr, /^partyline: no-such-program: not found\n$/);
  // One that is there has been started, however soon it ends.
  await start(runs, 5, 'exit 1');
  assert.equal(await runs.start({ key: key(6), command: argv('sh', '-c', 'exit 127'), ...given }), undefined);
});

test('where nothing can be started, that is said of the start', LIMIT, async (t) => {
  const { runs } = someRuns(t, { runner: aRunner(t, { cwd: join(aDirectory(t), 'gone') }) });
  const request = { key: key(1), command: argv('true'), env: {}, takesInput: false, keptBytes: 0 };
  const answer = await runs.start(request);
  assert.ok(answer !== undefined && 'failed' in answer);
  assert.deepEqual([answer.failed.result, answer.failed.status], ['denied', null]);
  assert.match(answer.failed.reason, /^Cannot run commands in .*gone: the directory is gone; nothing was started$/);
});

test(
  'who comes after somebody whose input still waits gives none before the command has taken that',
  LIMIT,
  async (t) => {
    const { runs } = someRuns(t);
    const gate = join(aDirectory(t), 'gate');
    execFileSync('mkfifo', [gate]);
    await start(runs, 1, `read x < ${gate}; head -c 1000000 | wc -c; cat`, true);
    const first = attach(runs, 1, { givesInput: true });
    assert.equal(first.stdin.write(new Uint8Array(1_000_000)), false);
    first.leave();
    assert.deepEqual(runs.attach(key(1), { from: 0, givesInput: true }), {
      refused: 'input-taken',
      reason: 'the command has not taken yet what it was given before',
    });
    const watching = hear(attach(runs, 1), '1000000\n');
    writeFileSync(gate, 'go\n');
    await watching.found;
    const second = attach(runs, 1, { givesInput: true });
    second.stdin.write(bytes('more\n'));
    second.stdin.end();
    assert.equal((await watching.ended).stdout, '1000000\nmore\n');
  },
);

test('of all runs together the oldest that has ended gives way first', LIMIT, async (t) => {
  const { runs } = someRuns(t, { maxTotalBytes: 250_000 });
  const said = 'head -c 100000 /dev/zero | tr "\\0" z';
  for (const number of [1, 2, 3]) {
    await start(runs, number, said);
    await endOf(runs, number);
  }
  const lengths = await Promise.all(
    [1, 2, 3].map(async (number) => (await hear(attach(runs, number)).ended).all.length),
  );
  assert.deepEqual(lengths, [0, 100_000, 100_000]);
});

test('so many run at once, and so many are kept; what is old is forgotten', LIMIT, async (t) => {
  let nowMs = 0;
  const { runs, directory } = someRuns(t, { maxRunning: 2, maxKept: 3, clock: () => nowMs });
  await start(runs, 1, 'echo 1');
  await endOf(runs, 1);
  await start(runs, 2, 'sleep 1000');
  await start(runs, 3, 'sleep 1000');
  const refused = await runs.start({ key: key(4), command: sh('true'), env: {}, takesInput: false, keptBytes: 0 });
  assert.ok(refused !== undefined && 'refused' in refused);
  assert.equal(refused.refused, 'too-many-runs');
  runs.cancel(key(2));
  await endOf(runs, 2);
  await start(runs, 4, 'echo 4');
  await endOf(runs, 4);
  assert.equal(await runs.ended(key(1)), 'unknown');
  assert.ok('refused' in runs.attach(key(1), { from: 0, givesInput: false }));
  nowMs = 7 * DAY_MS - 1;
  runs.forgetOld();
  await endOf(runs, 4);
  nowMs += 1;
  runs.forgetOld();
  assert.equal(await runs.ended(key(4)), 'unknown');
  assert.deepEqual(readdirSync(directory), []);
  // Its age counts from its end.
  const attachment = attach(runs, 3);
  runs.cancel(key(3));
  assert.equal((await attachment.ended).result, 'cancelled');
  await endOf(runs, 3);
});

test('what another program left is removed at the start, and nothing else', LIMIT, (t) => {
  const directory = join(aDirectory(t), 'detached');
  mkdirSync(directory);
  for (const name of [`${key(7)}.1`, `${key(7)}.12`, 'notes', `${key(7)}.x`]) writeFileSync(join(directory, name), 'x');
  someRuns(t, { directory });
  assert.deepEqual(readdirSync(directory).toSorted(), [`${key(7)}.x`, 'notes'].toSorted());
  assert.ok(!existsSync(join(directory, `${key(7)}.1`)));
});

test('what is behind a link is nobody else’s to remove', (t) => {
  const elsewhere = aDirectory(t);
  const file = join(elsewhere, `${'a'.repeat(32)}.1`);
  writeFileSync(file, 'precious');
  const directory = join(aDirectory(t), 'detached');
  symlinkSync(elsewhere, directory);
  someRuns(t, { directory });
  assert.ok(existsSync(file));
});
