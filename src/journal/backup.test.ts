import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { aMessage, anAccount, append, record } from '../../test/contracts/journal.ts';
import { aDirectory } from '../../test/kit/directory.ts';
import { backupJournal } from './backup.ts';
import { glanceAtJournal } from './glance.ts';
import { openSqliteJournal } from './sqlite.ts';
import { verifyJournal } from './verify.ts';

const LIMIT = { timeout: 60_000 };

async function aJournal(directory: string): Promise<string> {
  const path = join(directory, 'journal');
  const { journal } = await openSqliteJournal({ path });
  await record(
    journal,
    { type: 'account-added', account: anAccount(1, 'Bob') },
    { type: 'account-added', account: anAccount(2, 'Eve') },
  );
  for (const text of ['one', 'two']) await append(journal, aMessage({ text }));
  await append(journal, aMessage({ text: 'three', cast: 'multicast', to: ['#ops'] }));
  await journal.close();
  return path;
}

test('a copy made while another process writes is whole, and has what was answered before', LIMIT, async (t) => {
  const directory = aDirectory(t);
  const path = await aJournal(directory);
  const child = fork(join(import.meta.dirname, '../../test/kit/journal-writer.ts'), [path]);
  t.after(() => void child.kill('SIGKILL'));
  await new Promise<void>((resolve) => child.on('message', (id) => Number(id) >= 2_000 && resolve()));
  const to = join(directory, 'copy');
  await backupJournal(path, to);
  assert.deepEqual(await verifyJournal(path), []);
  for (let look = 0; look < 20; look++) assert.equal(glanceAtJournal(path), undefined);
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(statSync(to).mode & 0o777, 0o600);
  assert.deepEqual(await verifyJournal(to), []);
  const { journal, everything } = await openSqliteJournal({ path: to });
  await journal.close();
  assert.ok(everything.head >= 2_000);
  assert.deepEqual(
    readdirSync(directory).filter((name) => /verify|unfinished/.test(name)),
    [],
  );
});

test('a copy that is to take the place of a journal is another one, whole, and stays what it is', LIMIT, async (t) => {
  const directory = aDirectory(t);
  const path = await aJournal(directory);
  const [same, other, another] = [join(directory, 'same'), join(directory, 'other'), join(directory, 'another')];
  await backupJournal(path, same);
  for (const to of [other, another]) await backupJournal(same, to, { isRenewed: true });
  const ids: string[] = [];
  for (const copy of [path, same, other, other, another]) {
    const { journal, everything } = await openSqliteJournal({ path: copy });
    ids.push(everything.journalId);
    assert.equal((await append(journal, aMessage({ text: 'later' }))).result, 'new');
    await journal.close();
    assert.deepEqual(await verifyJournal(copy), []);
  }
  const [first, second, third, thirdAgain, fourth] = ids;
  assert.equal(first, second);
  assert.equal(third, thirdAgain);
  assert.equal(new Set([first, third, fourth]).size, 3);
});

test('nothing is overwritten, and nothing is left of what failed', LIMIT, async (t) => {
  const directory = aDirectory(t);
  const path = await aJournal(directory);
  const to = join(directory, 'precious');
  writeFileSync(to, 'precious');
  const attempt = `Cannot back up the journal ${path} to`;
  await assert.rejects(backupJournal(path, to), { message: `${attempt} ${to}: there is a file already` });
  assert.equal(readFileSync(to, 'utf8'), 'precious');
  const nowhere = join(directory, 'none', 'copy');
  await assert.rejects(backupJournal(path, nowhere), { message: `${attempt} ${nowhere}: there is no such directory` });
  await assert.rejects(backupJournal(join(directory, 'gone'), join(directory, 'copy')), /there is no such file$/);
  assert.deepEqual(
    readdirSync(directory).filter((name) => /copy|unfinished/.test(name)),
    [],
  );
});

function aDifference(what: string): RegExp {
  return new RegExp(
    `^Message 2 is altered in the database: it has ${what} there than in the log, whose checksum is right$`,
  );
}

for (const [harm, sql, problem] of [
  [
    'a missing message',
    'PRAGMA foreign_keys = OFF; DELETE FROM message WHERE id = 2',
    /Messages are missing: there are 2, and the last one is 3/,
  ],
  ['a missing recipient', 'DELETE FROM recipient WHERE message = 2', /^Message 2 has no recipient$/],
  ['a missing account', 'DELETE FROM account WHERE id = 1', /^Message 1 has no sender$/],
  ['another text than in the log', "UPDATE message SET text = 'four' WHERE id = 2", aDifference('another text')],
  ['another time', 'UPDATE message SET at_ms = 9 WHERE id = 2', aDifference('another time')],
  ['another sender', 'UPDATE message SET sender = 2 WHERE id = 2', aDifference('another sender')],
  ['another recipient', 'UPDATE recipient SET member = 1 WHERE message = 2', aDifference('other recipients')],
  ['one recipient more', 'INSERT INTO recipient VALUES (1, 2)', aDifference('other recipients')],
  [
    'nothing of what is in the log',
    'PRAGMA foreign_keys = OFF; DELETE FROM message WHERE id = 2',
    /^Message 2 is missing in the database, and is in the log$/,
  ],
  [
    'words of which there is no message',
    "INSERT INTO told_0 (rowid, text) VALUES (9, 'four')",
    /^The index of words does not agree with the messages: /,
  ],
  [
    'a stretch of a group too much',
    "INSERT INTO heard VALUES (1, '#ops', 1, 3)",
    /^What was said to groups is heard 2 times/,
  ],
  [
    'a row that belongs to nothing',
    'PRAGMA foreign_keys = OFF; INSERT INTO recipient VALUES (2, 9)',
    /^A row of recipient belongs/,
  ],
] as const) {
  test(`verify finds ${harm}, and no copy is made of it`, LIMIT, async (t) => {
    const path = await aJournal(aDirectory(t));
    assert.deepEqual(await verifyJournal(path), []);
    const { journal } = await openSqliteJournal({ path });
    await journal.search({ member: 1, since: 0, words: 'any', limit: 1 }); // from here on every word is in the index
    await journal.close();
    const database = new DatabaseSync(path);
    database.exec(sql);
    database.close();
    const problems = await verifyJournal(path);
    assert.ok(
      problems.some((found) => problem.test(found)),
      problems.join('; '),
    );
    const to = `${path}-copy`;
    await assert.rejects(backupJournal(path, to), {
      message: `Cannot back up the journal ${path} to ${to}: the copy is not whole: ${problems[0]}`,
    });
    assert.deepEqual(
      readdirSync(dirname(path)).filter((name) => /copy|verify/.test(name)),
      [],
    );
  });
}

test('verify says of a damaged file that it is damaged', LIMIT, async (t) => {
  const path = await aJournal(aDirectory(t));
  const bytes = readFileSync(path);
  bytes.fill(0xa5, 3 * 4_096, 6 * 4_096);
  writeFileSync(path, bytes);
  const problems = await verifyJournal(path);
  assert.ok(problems.length > 0);
  assert.match(problems.join('; '), /damaged/);
  assert.match(glanceAtJournal(path) ?? '', /damaged/);
  await assert.rejects(backupJournal(path, `${path}-copy`), /^Error: Cannot back up the journal .* damaged/);
});
