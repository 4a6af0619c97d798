// The commands that need no server: a copy of its journal, and back, and whether it is whole.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, renameSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Caller } from '../kit/caller.ts';
import { damageFrame, writeLog } from '../kit/damaged-journal.ts';
import { aDirectory } from '../kit/directory.ts';
import { outcomeOf, partyline } from '../kit/program.ts';
import { at, startServer } from '../kit/server.ts';

const run = (...args: string[]) => outcomeOf(partyline(args));

test('a copy of a running server’s journal is whole, and another server starts on it', async (t) => {
  const [copy, restored] = [join(aDirectory(t), 'copy.db'), join(aDirectory(t), 'new')];
  {
    await using server = await startServer();
    await using vamshi = await Caller.named('Vamshi', '127.0.0.1', server.port);
    vamshi.type('send owner : keep this');
    await vamshi.barrier();
    assert.equal(
      (await outcomeOf(partyline(['run', at('127.0.0.1', server.port), '--', 'echo kept'], { env: { ...server.env } })))
        .status,
      0,
    );
    assert.equal((await run('verify', '--data', server.directory)).status, 0);
    const { status, stderr } = await run('backup', '--data', server.directory, copy);
    assert.equal(status, 0, stderr);
    assert.equal(statSync(copy).mode & 0o777, 0o600);
    const whole = await run('verify', copy, '--json');
    const facts: { isWhole: boolean; records: number; head: string } = JSON.parse(whole.stdout);
    assert.deepEqual([whole.status, facts.isWhole, facts.records], [0, true, 2]);
    const stdout = `${copy} is whole; the last of 2 records of runs is ${facts.head}\n`;
    assert.deepEqual(await run('verify', copy, '--head', facts.head), { status: 0, stdout, stderr: '' });
    assert.equal((await run('verify', copy, '--head', 'f'.repeat(64))).status, 1);
    const again = await run('backup', '--data', server.directory, copy);
    assert.deepEqual([again.status, again.stdout], [1, '']);
    assert.match(again.stderr, /there is a file already/);
    const taken = await run('restore', copy, '--data', server.directory);
    assert.equal(taken.status, 1);
    assert.match(taken.stderr, /another server uses it/);
  }
  const done = await run('restore', copy, '--data', restored, '--json');
  assert.equal(done.status, 0, done.stderr);
  assert.deepEqual(JSON.parse(done.stdout), { file: copy, journal: join(restored, 'journal.db') });
  const twice = await run('restore', copy, '--data', restored);
  assert.equal(twice.status, 1);
  assert.match(twice.stderr, /there is a journal already/);
  await using server = await startServer({ directory: restored });
  const env = { PARTYLINE_DATA: restored, PARTYLINE_HOST: `127.0.0.1:${server.port}`, PARTYLINE_TOKEN_FILE: '' };
  const { stdout } = await outcomeOf(partyline(['history'], { env }));
  assert.match(stdout, /Vamshi to owner : keep this/);
  assert.equal((await outcomeOf(partyline(['run', '--', 'echo new'], { env }))).status, 0);
  const output = (id: string) => outcomeOf(partyline(['runs', 'show', id, '--stdout'], { env }));
  assert.deepEqual([(await output('1')).stdout, (await output('2')).stdout], ['kept\n', 'new\n']);
  assert.match((await run('verify', '--data', restored)).stdout, / is whole; the last of 4 records /);
});

test('what is no whole journal is told by verify, and never restored', async (t) => {
  const directory = aDirectory(t);
  const journal = join(directory, 'journal.db');
  {
    await using server = await startServer();
    assert.equal((await run('backup', '--data', server.directory, journal)).status, 0);
  }
  truncateSync(journal, Math.floor(statSync(journal).size / 2));
  const bad = await run('verify', '--data', directory, '--json');
  assert.equal(bad.status, 1);
  const { isWhole, problems }: { isWhole: unknown; problems: unknown[] } = JSON.parse(bad.stdout);
  assert.equal(isWhole, false);
  assert.ok(problems.length > 0);
  const [ofCopy, ofNone] = [await run('verify', journal), await run('verify', join(directory, 'none'))];
  assert.deepEqual([ofCopy.status, ofCopy.stdout], [1, '']);
  assert.deepEqual(ofNone, {
    status: 1,
    stdout: '',
    stderr: `partyline verify: Cannot verify ${join(directory, 'none')}: there is no such file\n`,
  });
  const copied = await run('backup', '--data', directory, join(directory, 'copy.db'));
  assert.deepEqual([copied.status, copied.stdout], [1, '']);
  assert.match(copied.stderr, /^partyline backup: Cannot back up the journal .*: [^\n]*\n$/);
  assert.ok(!existsSync(join(directory, 'copy.db')));
  const nonsense = join(directory, 'nonsense');
  writeFileSync(nonsense, 'nonsense');
  const target = join(aDirectory(t), 'new');
  for (const file of [journal, nonsense, join(directory, 'missing')]) {
    const { status, stderr } = await run('restore', file, '--data', target);
    assert.equal(status, 1);
    assert.match(stderr, /^partyline restore: Cannot restore ".*" to ".*": [^\n]*\n$/);
    assert.ok(!stderr.includes('restored-'), stderr);
    assert.ok(!existsSync(target));
  }
});

test('of a damaged journal what is intact is saved, put in its place, and gone on with', async (t) => {
  const directory = aDirectory(t);
  const saved = join(directory, 'saved.db');
  {
    await using server = await startServer({ directory });
    await using vamshi = await Caller.named('Vamshi', '127.0.0.1', server.port);
    vamshi.type('send owner : before');
    await vamshi.barrier();
    const busy = await run('backup', '--salvage', '--data', directory, saved);
    assert.deepEqual([busy.status, busy.stdout], [1, '']);
    assert.match(
      busy.stderr,
      /^partyline backup: Cannot save what is intact of .*: a server runs on it; stop it first\n$/,
    );
  }
  const intact = await run('backup', '--salvage', '--data', directory, saved);
  assert.deepEqual([intact.status, intact.stdout, existsSync(saved)], [1, '', false]);
  assert.match(intact.stderr, /: nothing is damaged; use partyline backup\n$/);
  const journal = join(directory, 'journal.db');
  const log = writeLog(journal, 1, { segments: [['two', 'three'], ['four']] });
  const { file, from, to } = damageFrame(log, 'three');
  const started = await run('serve', '--data', directory, '--listen', 'tcp://localhost:0');
  assert.equal(started.status, 1);
  assert.match(
    started.stderr,
    /its log goes on with message 6, and everything before it ends with 3 .*`partyline backup --salvage FILE` keeps/,
  );
  const { status, stdout, stderr } = await run('backup', '--salvage', '--data', directory, saved);
  assert.deepEqual([status, stderr], [0, '']);
  assert.deepEqual(stdout.split('\n'), [
    `Messages 4 to 5 are lost: ${file} bytes ${from} to ${to - 1}`,
    `Saved everything else to ${saved}; the next message will be 8`,
    `Move journal.db and journal.db-* out of ${directory} and keep them, then: partyline restore ${saved} --data ${directory}`,
    '',
  ]);
  const taken = await run('restore', saved, '--data', directory);
  assert.match(taken.stderr, /there is a journal already/);
  const aside = join(directory, 'aside');
  mkdirSync(aside);
  for (const name of readdirSync(directory).filter((each) => each.startsWith('journal.db'))) {
    renameSync(join(directory, name), join(aside, name));
  }
  assert.equal((await run('restore', saved, '--data', directory)).status, 0);
  const whole = await run('verify', '--data', directory);
  const without = 'but for what was lost when it was damaged: messages 4 to 5';
  assert.deepEqual(whole, { status: 0, stdout: `${journal} is whole, ${without}\n`, stderr: '' });
  const told = await run('verify', '--data', directory, '--json');
  const { isWhole, lost }: Record<string, unknown> = JSON.parse(told.stdout);
  assert.deepEqual([isWhole, lost], [true, [{ first: 4, last: 5 }]]);
  await using server = await startServer({ directory });
  const env = { PARTYLINE_DATA: directory, PARTYLINE_HOST: `127.0.0.1:${server.port}`, PARTYLINE_TOKEN_FILE: '' };
  const sent = await outcomeOf(partyline(['send', '--to', 'owner', 'after', '--json'], { env }));
  assert.match(sent.stdout, /"id":8/);
  const { stdout: past } = await outcomeOf(partyline(['history', '--json'], { env }));
  const ids = past
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line).id);
  assert.deepEqual(ids, [1, 2, 3, 6, 7, 8]);
});
