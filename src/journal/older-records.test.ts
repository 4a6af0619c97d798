// Records that the version before made, which did not say where a command was to run, with what, and whether in a terminal.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { anAccount, aName, record } from '../../test/contracts/journal.ts';
import { aDirectory } from '../../test/kit/directory.ts';
import { NO_HASH, type Chained, type RunEntry } from '../core/run/record.ts';
import { hashOf } from './entry.ts';
import { openSqliteJournal } from './sqlite.ts';
import { verifyJournal } from './verify.ts';

/** As that version chained and stored them. */
const ENTRIES = [
  {
    hash: 'd370346b33137ff2fc36ff289c6f0d922aa8ce5f1b306466fa995b1e061eb1cb',
    run: 1,
    member: 1,
    entry:
      '{"number":1,"type":"refused","run":1,"at":"1970-01-01T00:00:01.000Z","by":"bob","member":1,"from":"::1","hosts":["web1"],' +
      '"command":{"verb":"restart","args":["nginx"]},"result":"denied","reason":"no rule"}',
  },
  {
    hash: '763d90f2e8597a0ef9152e6911e1672d88641c60d0661c77a919a724cf72aae9',
    run: 2,
    member: 1,
    entry:
      '{"number":2,"type":"started","run":2,"at":"1970-01-01T00:00:02.000Z","by":"bob","member":1,"from":"::1","host":"web1",' +
      '"detached":"00000000000000000000000000000000","command":{"shell":"make"}}',
  },
  {
    hash: '75db44280edc881fbfb34ddd50d6f885297fb5f6999d4d31d88e58da4c4491f4',
    run: 2,
    member: null,
    entry:
      '{"number":3,"type":"started","run":2,"at":"1970-01-01T00:00:02.001Z","by":"bob","member":1,"from":"::1","host":"web2"}',
  },
  {
    hash: 'afe2cecb3952523c8aa98103ae7e8bf687064c78b71a15eccfcc2f2b6b9a5bd8',
    run: 2,
    member: null,
    entry:
      '{"number":4,"type":"ended","run":2,"start":3,"at":"1970-01-01T00:00:03.000Z","result":"lost","status":null,' +
      '"reason":"gone","streams":null}',
  },
];

test('records of the version before are read, verified, and gone on from', async (t) => {
  const path = join(aDirectory(t), 'journal');
  const { journal: empty } = await openSqliteJournal({ path });
  await record(empty, { type: 'account-added', account: anAccount(1, 'bob') });
  await empty.close();
  const database = new DatabaseSync(path);
  for (const [at, { hash, run, member, entry }] of ENTRIES.entries()) {
    database
      .prepare('INSERT INTO record VALUES (?, ?, ?, ?, ?)')
      .run(at + 1, Buffer.from(hash, 'hex'), run, member, entry);
  }
  database.exec('INSERT INTO unended (record) VALUES (2)');
  database.close();
  const last = ENTRIES.at(-1)?.hash ?? '';
  assert.deepEqual(await verifyJournal(path, { head: last }), []);

  const { journal, everything } = await openSqliteJournal({ path });
  t.after(() => journal.close());
  assert.equal(everything.runs.head, last);
  assert.deepEqual(
    everything.runs.unended.map(({ start }) => start),
    [2],
  );
  const make = { kind: 'shell', line: 'make' } as const;
  const who = { by: 1, byName: aName('bob').name, address: '::1' };
  const chain = (entry: RunEntry) => new Promise<Chained>((resolve) => journal.chain(entry, resolve));
  const setting = { cwd: '/srv/app', env: ['LANG'], hasTerminal: true };
  const streams = undefined;
  await chain({ type: 'ended', run: 2, start: 2, atMs: 4_000, result: { result: 'exited', status: 0 }, streams });
  await chain({ type: 'started', run: 3, atMs: 5_000, ...who, host: 'web1', command: make, setting });
  const { runs } = await journal.runs({ member: 1, limit: 9, maxBytes: 99_999 });
  assert.deepEqual(
    runs.map(({ id, command, setting: shown, hosts }) => [id, command, shown, hosts.length]),
    [
      [1, { kind: 'verb', verb: 'restart', args: ['nginx'] }, undefined, 1],
      [2, make, undefined, 2],
      [3, make, setting, 1],
    ],
  );
  assert.deepEqual(await verifyJournal(path, { head: last }), []);
  const tampering = new DatabaseSync(path);
  tampering.exec(`UPDATE record SET entry = replace(entry, '/srv/app', '/srv/abb')`);
  tampering.close();
  assert.deepEqual(await verifyJournal(path), [
    'Record 6 (of run 3) is not what it was, or not after the one before it',
  ]);
});

test('an approval of before, by a name alone, is shown to nobody for that name', async (t) => {
  const path = join(aDirectory(t), 'journal');
  const { journal: empty } = await openSqliteJournal({ path });
  await record(empty, { type: 'account-added', account: anAccount(1, 'bob') });
  await record(empty, { type: 'account-added', account: anAccount(2, 'eve') });
  await empty.close();
  const entry =
    '{"number":1,"type":"started","run":1,"at":"1970-01-01T00:00:01.000Z","by":"bob","member":1,"from":"::1","host":"web1",' +
    `"approvedBy":"eve","approval":"${'a'.repeat(64)}","command":{"shell":"make"},"cwd":null,"env":[],"terminal":false}`;
  const database = new DatabaseSync(path);
  database
    .prepare('INSERT INTO record VALUES (?, ?, ?, ?, ?)')
    .run(1, Buffer.from(hashOf(NO_HASH, entry), 'hex'), 1, 1, entry);
  database.exec('INSERT INTO unended (record) VALUES (1)');
  database.close();
  assert.deepEqual(await verifyJournal(path), []);
  const { journal } = await openSqliteJournal({ path });
  t.after(() => journal.close());
  assert.equal(await journal.run({ id: 1, member: 2, approver: 2 }), undefined);
  assert.deepEqual((await journal.runs({ member: 2, approver: 2, limit: 9, maxBytes: 99_999 })).runs, []);
  assert.deepEqual((await journal.run({ id: 1, member: 1 }))?.approved, { by: 'eve', hash: 'a'.repeat(64) });
});
