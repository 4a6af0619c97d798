// Accounts, tokens, invites and groups in the database: changing them, and reading all of them at a start.

import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { Account, Change, Everything, Group, Invite, Seen, Token } from '../core/journal.ts';
import { foundRuns } from './chain.ts';
import { headOf, identityOf, numberOf } from './database.ts';
import { WrongEntry } from './errors.ts';

/** Throws at the first change that cannot be; the caller's transaction undoes the others. */
export function change(database: DatabaseSync, change: Change): void {
  switch (change.type) {
    case 'account-added': {
      const values = valuesOf(change.account);
      database.prepare('INSERT INTO account VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)').run(...values);
      return;
    }
    case 'account-changed': {
      const [id, ...values] = valuesOf(change.account);
      const { changes } = database
        .prepare(
          `UPDATE account SET name = ?, key = ?, role = ?, kind = ?, created_at_ms = ?, since = ?,
             password = ?, delivered = ?, revoked_at_ms = ?, inviter = ? WHERE id = ?`,
        )
        .run(...values, id);
      return mustBe(changes, change.account.id);
    }
    case 'delivered': {
      const { changes } = database
        .prepare('UPDATE account SET delivered = max(delivered, ?) WHERE id = ?')
        .run(change.upTo, change.account);
      return mustBe(changes, change.account);
    }
    case 'token-added': {
      const { id, account, label, hash, createdAtMs } = change.token;
      database.prepare('INSERT INTO token VALUES (?, ?, ?, ?, ?)').run(id, account, label, hash, createdAtMs);
      return;
    }
    case 'token-removed':
      database.prepare('DELETE FROM token WHERE id = ?').run(change.id);
      return;
    case 'invite-added': {
      const { hash, name, key, role, kind, by, createdAtMs, expiresAtMs } = change.invite;
      database
        .prepare('INSERT INTO invite VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)')
        .run(hash, name, key, role, kind, by, createdAtMs, expiresAtMs);
      return;
    }
    case 'invite-removed':
      database.prepare('DELETE FROM invite WHERE hash = ?').run(change.hash);
      return;
    case 'group-joined': {
      const { key, name } = change.group;
      database.prepare('INSERT OR IGNORE INTO "group" VALUES (NULL, ?, ?)').run(key, name);
      // OR IGNORE would hide a missing account as well: foreign keys are not among what it ignores.
      database
        .prepare('INSERT OR IGNORE INTO group_member SELECT NULL, number, ? FROM "group" WHERE key = ?')
        .run(change.account, key);
      return;
    }
    case 'group-left': {
      const which = 'SELECT number FROM "group" WHERE key = ?';
      const { key } = change.group;
      database.prepare(`DELETE FROM group_member WHERE "group" = (${which}) AND account = ?`).run(key, change.account);
      database
        .prepare('DELETE FROM "group" WHERE key = ? AND number NOT IN (SELECT "group" FROM group_member)')
        .run(key);
      return;
    }
    case 'machine-seen': {
      const { account, labels, atMs } = change.seen;
      database
        .prepare(
          `INSERT INTO machine VALUES (?, ?, ?)
             ON CONFLICT DO UPDATE SET labels = excluded.labels, seen_at_ms = excluded.seen_at_ms`,
        )
        .run(account, JSON.stringify(Object.fromEntries(labels)), atMs);
      return;
    }
    case 'run-condemned':
      database
        .prepare('UPDATE unended SET is_condemned = 1, condemned_by = ? WHERE record = ?')
        .run(change.by, change.start);
      return;
  }
}

function mustBe(changes: number | bigint, account: number): void {
  if (Number(changes) === 0) throw new WrongEntry(`there is no account ${account}`);
}

function valuesOf(account: Account) {
  const { id, name, key, role, kind, createdAtMs, since, invitedBy, password, delivered, revokedAtMs } = account;
  return [
    id,
    name,
    key,
    role,
    kind,
    createdAtMs,
    since,
    password ?? null,
    delivered,
    revokedAtMs ?? null,
    invitedBy ?? null,
  ] as const;
}

/** Everything as it is now, without counting a start. */
export function readEverything(database: DatabaseSync): Everything {
  return {
    start: numberOf(database, 'SELECT start FROM meta'),
    journalId: identityOf(database),
    head: headOf(database),
    accounts: rowsOf<Account>(
      database,
      `SELECT id, name, key, role, kind, created_at_ms AS createdAtMs, since, inviter AS invitedBy, password,
         delivered, revoked_at_ms AS revokedAtMs FROM account ORDER BY id`,
    ),
    tokens: rowsOf<Token>(
      database,
      'SELECT id, account, label, hash, created_at_ms AS createdAtMs FROM token ORDER BY id',
    ),
    invites: rowsOf<Invite>(
      database,
      `SELECT hash, name, key, role, kind, by, created_at_ms AS createdAtMs, expires_at_ms AS expiresAtMs
         FROM invite ORDER BY number`,
    ),
    groups: groupsOf(database),
    runs: foundRuns(database),
    machines: machinesOf(database),
  };
}

function groupsOf(database: DatabaseSync): Group[] {
  const members = Map.groupBy(
    rowsOf<{ group: number; account: number }>(
      database,
      'SELECT "group", account FROM group_member ORDER BY "group", number',
    ),
    ({ group }) => group,
  );
  return rowsOf<{ number: number; name: string; key: string }>(
    database,
    'SELECT number, name, key FROM "group" ORDER BY number',
  ).map(({ number, name, key }) => ({ name, key, members: (members.get(number) ?? []).map(({ account }) => account) }));
}

function machinesOf(database: DatabaseSync): Seen[] {
  const sql = 'SELECT account, labels, seen_at_ms AS atMs FROM machine ORDER BY account';
  return rowsOf<{ account: number; labels: string; atMs: number }>(database, sql).map(({ account, labels, atMs }) => {
    const given: Record<string, string> = JSON.parse(labels);
    return { account, labels: new Map(Object.entries(given)), atMs };
  });
}

function rowsOf<Row>(database: DatabaseSync, sql: string): Row[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the STRICT tables hold what was put in
  return database.prepare(sql).all().map(plain) as Row[];
}

/** The port says `undefined` where a database says NULL. */
function plain(row: Record<string, SQLOutputValue>): Record<string, SQLOutputValue | undefined> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value ?? undefined]));
}
