import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { aDirectory } from '../../../test/kit/directory.ts';
import { openSqliteJournal } from '../sqlite.ts';
import { verifyJournal } from '../verify.ts';
import { MIGRATIONS } from './list.ts';

// DO NOT EDIT: databases with this schema are out there. A change is another migration.
const FIRST_SCHEMA = `
CREATE TABLE meta (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  start INTEGER NOT NULL,
  words_up_to INTEGER NOT NULL -- messages up to here are in message_text
) STRICT;
INSERT INTO meta VALUES (1, 0, 0);

CREATE TABLE account (
  id INTEGER PRIMARY KEY CHECK (id > 0),
  name TEXT NOT NULL,
  key TEXT NOT NULL UNIQUE,
  role TEXT NOT NULL CHECK (role IN ('owner', 'operator', 'member')),
  kind TEXT NOT NULL CHECK (kind IN ('person', 'bot', 'host')),
  created_at_ms INTEGER NOT NULL,
  since INTEGER NOT NULL,
  invited_by TEXT,
  password TEXT,
  delivered INTEGER NOT NULL,
  revoked_at_ms INTEGER
) STRICT;

CREATE TABLE token (
  id INTEGER PRIMARY KEY,
  account INTEGER NOT NULL REFERENCES account (id),
  label TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE,
  created_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX token_by_account ON token (account);

CREATE TABLE invite (
  number INTEGER PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  key TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('operator', 'member')),
  kind TEXT NOT NULL CHECK (kind IN ('person', 'bot', 'host')),
  by INTEGER NOT NULL REFERENCES account (id),
  created_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX invite_by_account ON invite (by);

CREATE TABLE "group" (
  number INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL
) STRICT;

CREATE TABLE group_member (
  number INTEGER PRIMARY KEY,
  "group" INTEGER NOT NULL REFERENCES "group" (number),
  account INTEGER NOT NULL REFERENCES account (id),
  UNIQUE ("group", account)
) STRICT;
CREATE INDEX group_member_by_account ON group_member (account);

-- Ids without gaps. A sender has no row in account if it is a guest, so it is no foreign key.
CREATE TABLE message (
  id INTEGER PRIMARY KEY CHECK (id > 0),
  at_ms INTEGER NOT NULL,
  sender INTEGER NOT NULL CHECK (sender <> 0),
  sender_name TEXT NOT NULL,
  sent_as TEXT NOT NULL CHECK (sent_as IN ('singlecast', 'multicast', 'broadcast')),
  addressed TEXT NOT NULL, -- a JSON array, as it is shown
  text TEXT NOT NULL
) STRICT;
CREATE INDEX message_by_sender ON message (sender, id) WHERE sent_as <> 'broadcast';
CREATE INDEX broadcast ON message (id, sender) WHERE sent_as = 'broadcast';

-- Who gets a message. A broadcast is for everyone and has no row: its own index finds it.
CREATE TABLE recipient (
  member INTEGER NOT NULL,
  message INTEGER NOT NULL REFERENCES message (id),
  PRIMARY KEY (member, message)
) STRICT, WITHOUT ROWID;

-- What a member said to a name or heard from it, broadcasts and groups aside; peer is the name's key.
-- What was said to a group has one row, of member 0, with the group's key.
CREATE TABLE talk (
  member INTEGER NOT NULL,
  peer TEXT NOT NULL,
  message INTEGER NOT NULL REFERENCES message (id),
  PRIMARY KEY (member, peer, message)
) STRICT, WITHOUT ROWID;

CREATE TABLE resend (
  sender INTEGER NOT NULL,
  key TEXT NOT NULL,
  message INTEGER NOT NULL REFERENCES message (id),
  at_ms INTEGER NOT NULL,
  digest BLOB NOT NULL,
  PRIMARY KEY (sender, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX resend_by_age ON resend (at_ms);

CREATE VIRTUAL TABLE message_text USING fts5 (
  text, content = 'message', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);
`;

// DO NOT EDIT, for the same reason.
const FIRST_ROWS = `
PRAGMA application_id = 0x50727479;
PRAGMA user_version = 1;
UPDATE meta SET start = 7, words_up_to = 1;
INSERT INTO account VALUES (1, 'Bob', 'bob', 'owner', 'person', 5, 0, NULL, 'scrypt', 1, NULL);
INSERT INTO account VALUES (2, 'Eve', 'eve', 'member', 'bot', 6, 0, 'Bob', NULL, 0, 9);
INSERT INTO token VALUES (3, 1, 'laptop', 'h', 7);
INSERT INTO invite VALUES (1, 'i', 'Web1', 'web1', 'member', 'host', 1, 7, 8);
INSERT INTO "group" VALUES (1, '#ops', '#Ops');
INSERT INTO group_member VALUES (1, 1, 2);
INSERT INTO message VALUES (1, 10, 1, 'Bob', 'singlecast', '["Eve"]', 'hello there');
INSERT INTO recipient VALUES (2, 1);
INSERT INTO talk VALUES (1, 'eve', 1), (2, 'bob', 1);
INSERT INTO message_text (rowid, text) VALUES (1, 'hello there');
`;

test(
  'a database with the first schema is brought up to date, and all in it is found',
  { timeout: 60_000 },
  async (t) => {
    const path = join(aDirectory(t), 'journal');
    const first = new DatabaseSync(path);
    first.exec(FIRST_SCHEMA);
    first.exec(FIRST_ROWS);
    first.close();
    const { journal, everything } = await openSqliteJournal({ path });
    const found = await journal.search({ member: 2, since: 0, words: 'HELLO', limit: 5 });
    const heard = await journal.history({ member: 1, since: 0, with: 'Eve', limit: 5, maxBytes: 100 });
    await journal.close();
    const message = { id: 1, atMs: 10, from: 1, fromName: 'Bob', cast: 'singlecast', to: ['Eve'], text: 'hello there' };
    assert.deepEqual(heard.messages, [message]);
    assert.equal(found.messages[0]?.snippet, '\u0002hello\u0003 there');
    assert.deepEqual([everything.start, everything.head], [8, 1]);
    assert.deepEqual(
      everything.accounts.map(({ name, key, role, revokedAtMs, invitedBy }) => [
        name,
        key,
        role,
        revokedAtMs,
        invitedBy,
      ]),
      [
        ['Bob', 'bob', 'owner', undefined, undefined],
        ['Eve', 'eve', 'member', 9, 1],
      ],
    );
    assert.deepEqual(everything.groups, [{ name: '#Ops', key: '#ops', members: [2] }]);
    assert.deepEqual([everything.tokens.length, everything.invites.length], [1, 1]);
    assert.deepEqual(await verifyJournal(path), []);
  },
);

test('the first step makes the first schema', () => {
  const schemaOf = (sql: string) => {
    const database = new DatabaseSync(':memory:');
    database.exec(sql);
    return database.prepare('SELECT type, name, sql FROM sqlite_schema ORDER BY name').all();
  };
  assert.deepEqual(schemaOf(MIGRATIONS[0] ?? ''), schemaOf(FIRST_SCHEMA));
});

test('who invited an account is found by its name, and a name that nobody had before it was the owner’s', async (t) => {
  const path = join(aDirectory(t), 'journal');
  const first = new DatabaseSync(path);
  first.exec(FIRST_SCHEMA);
  const names: [name: string, role: string, by: string | null][] = [
    ['boss', 'owner', null],
    ['eve', 'operator', 'owner'],
    ['owner', 'operator', 'boss'],
    ['max', 'member', 'owner'],
    ['zoe', 'member', 'eve'],
  ];
  for (const [at, [name, role, by]] of names.entries()) {
    first
      .prepare("INSERT INTO account VALUES (?, ?, ?, ?, 'person', 5, 0, ?, NULL, 0, NULL)")
      .run(at + 1, name, name, role, by);
  }
  first.exec('PRAGMA application_id = 0x50727479; PRAGMA user_version = 1');
  first.close();
  const { journal, everything } = await openSqliteJournal({ path });
  await journal.close();
  assert.deepEqual(
    everything.accounts.map(({ invitedBy }) => invitedBy),
    [undefined, 1, 1, 3, 2],
  );
});

test('who approved is found by number also where it was found by name', async (t) => {
  const path = join(aDirectory(t), 'journal');
  const before = new DatabaseSync(path);
  for (const step of MIGRATIONS.slice(0, 11)) before.exec(step);
  const add = before.prepare('INSERT INTO record VALUES (?, ?, ?, ?, ?)');
  const entries = [
    { run: 1, approvedBy: 'eve', approver: 2 },
    { run: 2, approvedBy: 'eve' },
    { run: 3, approvedBy: 'eve', approver: 'eve' },
  ];
  for (const [at, entry] of entries.entries()) add.run(at + 1, Buffer.alloc(32), entry.run, 1, JSON.stringify(entry));
  add.run(4, Buffer.alloc(32), 4, 1, 'damaged');
  before.exec(MIGRATIONS[11] ?? '');
  const found = before.prepare('SELECT run FROM record INDEXED BY run_by_approver WHERE approver = 2').all();
  assert.deepEqual(
    found.map(({ run }) => run),
    [1],
  );
  assert.deepEqual(before.prepare('PRAGMA integrity_check').all().map(Object.values), [['ok']]);
  before.close();
});

test('a step that is out there is never changed', () => {
  const digestOf = (sql: string) => createHash('sha256').update(sql).digest('hex').slice(0, 16);
  // DO NOT EDIT: append the digest of a new step.
  assert.deepEqual(MIGRATIONS.map(digestOf), [
    '7d9700c089d8c8d7',
    '334740f30a01b128',
    'd673e472058b54c4',
    '330f6fb53fee09b4',
    '8d60108d1ee7c9c3',
    'f6fc2694c05f75b7',
    'f6e3f1e1a787dc86',
    'c71b618d0ba08bcf',
    '3db3421f0cd0fb4e',
    '0f193f7c3b9b6e06',
    '353edb59a8317c51',
    'd26b7133fc519300',
  ]);
});
