// The first schema. Databases out there have it: it is never edited, only followed by another file.

export const FIRST = `
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
