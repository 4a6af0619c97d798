// What is put on record, and when: before a command begins, and after it has ended.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { FakeRunner } from '../../../test/kit/native.ts';
import { MemoryJournal } from '../../journal/memory.ts';
import { newDigest } from '../../secrets/digest.ts';
import { parseName } from '../name.ts';
import { Gatherings } from './gatherings.ts';
import { MAX_HOSTS_OF_RUN, PLAIN } from './record.ts';
import { Records } from './records.ts';

const COMMAND = { kind: 'shell', line: 'cat' } as const;
const EXITED = { result: 'exited', status: 0 } as const;

function aName(text: string) {
  const parsed = parseName(text);
  return 'refused' in parsed ? assert.fail(text) : parsed.name;
}

const BOB = { by: 1, byName: aName('bob'), address: '::1' };

function aHouse({ keptBytes = 8 }: { keptBytes?: number } = {}) {
  const journal = new MemoryJournal();
  const unwritten: string[] = [];
  const runner = new FakeRunner();
  const world = {
    journal,
    newDigest,
    now: () => 5,
    keptBytes,
    onUnwritten: (reason: string) => void unwritten.push(reason),
  };
  const records = new Records(world, journal.everything.runs);
  const heads: string[] = [];
  const start = (run = records.newRun()) => {
    return records.start({
      run,
      starter: BOB,
      host: 'Server',
      command: COMMAND,
      setting: PLAIN,
      start: (head) => {
        heads.push(head);
        return runner.start({ command: COMMAND, env: {} });
      },
    });
  };
  const settled = () => new Promise<void>((resolve) => journal.settle(resolve));
  return { journal, records, runner, unwritten, heads, start, settled };
}

test('a command begins when its start is on record, and what came for it meanwhile is passed on', async () => {
  const { journal, runner, heads, start, settled } = aHouse();
  const { run, recorded } = start();
  assert.equal(run.stdin.write(Buffer.from('early')), false);
  let hasRoom = false;
  run.stdin.onDrain(() => (hasRoom = true));
  run.stdin.end();
  assert.equal(runner.runs.length, 0);
  assert.equal(await recorded, undefined);
  const [command] = runner.runs;
  assert.ok(command !== undefined && hasRoom && command.stdin.hasEnded);
  assert.equal(command.stdin.received.toString(), 'early');
  const begun = await journal.run({ id: 1, member: undefined });
  assert.equal(begun?.hosts[0]?.end, undefined);
  assert.equal(command.stdout.isWanted, false, 'nothing is read before it is wanted');
  const heard: Uint8Array[] = [];
  run.stdout.onData((chunk) => heard.push(chunk));
  run.stdout.resume();
  command.stdout.give(Buffer.from('0123456789'));
  run.stdout.pause();
  assert.equal(command.stdout.isWanted, false);
  command.finish(EXITED);
  assert.deepEqual(await run.ended, EXITED);
  await settled();
  const { hosts } = (await journal.run({ id: 1, member: undefined })) ?? assert.fail();
  const sha256 = createHash('sha256').update('0123456789').digest('hex');
  assert.deepEqual(hosts[0]?.end?.streams?.stdout, { bytes: 10, sha256, head: 4, tail: 4 });
  assert.equal(hosts[0]?.end?.streams?.stdin.bytes, 5);
  const kept = await journal.output({ id: 1, member: undefined, at: 0, stream: 'stdout' });
  assert.equal(Buffer.concat([kept?.head ?? assert.fail(), kept?.tail ?? assert.fail()]).toString(), '01236789');
  assert.equal(Buffer.concat(heard).toString(), '0123456789');
  assert.match(heads[0] ?? '', /^[0-9a-f]{64}$/);
});

test('a journal that cannot be written refuses the command, and nothing is started', async () => {
  const { journal, runner, start } = aHouse();
  journal.failWith('the disk is full');
  const { run, recorded } = start();
  let hasEnded = false;
  run.stdout.onEnd(() => (hasEnded = true));
  assert.deepEqual(await recorded, { refused: 'not-stored', reason: 'the disk is full' });
  assert.ok(hasEnded);
  assert.equal((await run.ended).result, 'lost');
  assert.equal(runner.runs.length, 0);
});

test('an end that could not be written is written before anything else is started', async () => {
  const { journal, runner, unwritten, start, settled } = aHouse();
  const first = start();
  await first.recorded;
  journal.failWith('the disk is full');
  runner.runs[0]?.finish(EXITED);
  assert.deepEqual(await first.run.ended, EXITED);
  await settled();
  assert.deepEqual(unwritten, ['the disk is full']);
  journal.recover();
  await start().recorded;
  const { runs } = await journal.runs({ member: undefined, limit: 9, maxBytes: 9_999 });
  assert.deepEqual(
    runs.map(({ id, hosts }) => [id, hosts[0]?.end?.result]),
    [
      [1, EXITED],
      [2, undefined],
    ],
  );
});

test('a refusal that could not be written is written with the next thing that can', async () => {
  const { journal, records, start, settled } = aHouse();
  journal.failWith('the disk is full');
  const result = { result: 'denied', status: null, reason: 'no' } as const;
  const hosts = Array.from({ length: MAX_HOSTS_OF_RUN + 1 }, () => 'w'.repeat(10_000));
  records.refuse({ run: records.newRun(), starter: BOB, hosts, command: COMMAND, setting: PLAIN, result });
  await settled();
  assert.equal(await journal.run({ id: 1, member: 1 }), undefined);
  journal.recover();
  await start().recorded;
  await settled();
  const refused = await journal.run({ id: 1, member: 1 });
  assert.equal(refused?.hosts.length, MAX_HOSTS_OF_RUN);
  assert.deepEqual(
    refused?.hosts.map(({ host, end }) => [host.length, end?.result])[0],
    [512, result],
    'a name is cut, and so many are named',
  );
});

test('a command that is cancelled before it has begun never begins, and that is on record', async () => {
  const { journal, runner, start, settled } = aHouse();
  const { run, recorded } = start();
  run.cancel();
  await recorded;
  assert.deepEqual(await run.ended, { result: 'cancelled', status: 143 });
  await settled();
  assert.equal(runner.runs.length, 0);
  const found = await journal.run({ id: 1, member: undefined });
  assert.equal(found?.hosts[0]?.end?.result.result, 'cancelled');
});

test('starts with one number and one command are one run, up to so many hosts', () => {
  const gatherings = new Gatherings();
  let last = 0;
  const runOf = (together: number, line = 'ls', cwd?: string) => {
    const what = { command: { kind: 'shell', line }, setting: { ...PLAIN, cwd } } as const;
    return gatherings.runOf(together, what, () => ++last);
  };
  assert.deepEqual([runOf(1), runOf(2), runOf(1), runOf(2)], [1, 2, 1, 2]);
  assert.deepEqual(runOf(1, 'rm'), { refused: 'another-command' });
  assert.deepEqual(runOf(1, 'ls', '/tmp'), { refused: 'another-command' });
  for (let hosts = 2; hosts < MAX_HOSTS_OF_RUN; hosts++) assert.equal(runOf(1), 1);
  assert.deepEqual([runOf(1), runOf(1)], [3, 3]);
  for (let together = 3; together < 70; together++) runOf(together);
  assert.equal(runOf(2), last, 'what is long past begins anew');
});
