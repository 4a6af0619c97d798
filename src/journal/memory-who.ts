// Who there is, in memory: each list of changes makes a new one, or says why it cannot.

import type { Account, Change, Group, Invite, Seen, Token } from '../core/journal.ts';
import type { Name } from '../core/name.ts';

export interface Who {
  readonly accounts: ReadonlyMap<number, Account>;
  readonly tokens: ReadonlyMap<number, Token>;
  readonly invites: ReadonlyMap<string, Invite>;
  readonly groups: ReadonlyMap<string, Group>;
  readonly machines: ReadonlyMap<number, Seen>;
  /** Starts of runs that are to end, and who said so. */
  readonly condemned: ReadonlyMap<number, Name>;
}

export const NOBODY: Who = {
  accounts: new Map(),
  tokens: new Map(),
  invites: new Map(),
  groups: new Map(),
  machines: new Map(),
  condemned: new Map(),
};

/** A string: why nothing was changed. */
export function changed(who: Who, changes: readonly Change[]): Who | string {
  const next = {
    accounts: new Map(who.accounts),
    tokens: new Map(who.tokens),
    invites: new Map(who.invites),
    groups: new Map(who.groups),
    machines: new Map(who.machines),
    condemned: new Map(who.condemned),
  };
  for (const change of changes) {
    const wrong = whyNot(next, change);
    if (wrong !== undefined) return wrong;
    switch (change.type) {
      case 'account-added':
      case 'account-changed':
        next.accounts.set(change.account.id, change.account);
        break;
      case 'delivered': {
        const account = next.accounts.get(change.account);
        if (account === undefined) break;
        next.accounts.set(account.id, { ...account, delivered: Math.max(account.delivered, change.upTo) });
        break;
      }
      case 'token-added':
        next.tokens.set(change.token.id, change.token);
        break;
      case 'token-removed':
        next.tokens.delete(change.id);
        break;
      case 'invite-added':
        next.invites.set(change.invite.hash, change.invite);
        break;
      case 'invite-removed':
        next.invites.delete(change.hash);
        break;
      case 'group-joined': {
        const { key, name } = change.group;
        const group = next.groups.get(key) ?? { key, name, members: [] };
        next.groups.set(key, { ...group, members: [...new Set([...group.members, change.account])] });
        break;
      }
      case 'group-left': {
        const { key } = change.group;
        const group = next.groups.get(key);
        const members = group?.members.filter((member) => member !== change.account) ?? [];
        if (group === undefined || members.length === 0) next.groups.delete(key);
        else next.groups.set(key, { ...group, members });
        break;
      }
      case 'machine-seen':
        next.machines.set(change.seen.account, change.seen);
        break;
      case 'run-condemned':
        next.condemned.set(change.start, change.by);
        break;
    }
  }
  return next;
}

function whyNot(who: Who, change: Change): string | undefined {
  switch (change.type) {
    case 'account-added':
    case 'account-changed': {
      const { id, key } = change.account;
      if (who.accounts.has(id) === (change.type === 'account-added')) return `account ${id} is there already, or not`;
      const { invitedBy } = change.account;
      if (invitedBy !== undefined && invitedBy !== id && !who.accounts.has(invitedBy)) return missing(who, invitedBy);
      const isTaken = who.accounts.values().some((other) => other.key === key && other.id !== id);
      return isTaken ? `the name ${key} is taken` : undefined;
    }
    case 'delivered':
      return missing(who, change.account);
    case 'token-added':
      return who.tokens.has(change.token.id) ? 'the token is there already' : missing(who, change.token.account);
    case 'invite-added':
      return who.invites.has(change.invite.hash) ? 'the invite is there already' : missing(who, change.invite.by);
    case 'group-joined':
      return missing(who, change.account);
    case 'machine-seen':
      return missing(who, change.seen.account);
    case 'token-removed':
    case 'invite-removed':
    case 'group-left':
    case 'run-condemned':
      return undefined;
  }
}

function missing(who: Who, account: number): string | undefined {
  return who.accounts.has(account) ? undefined : `there is no account ${account}`;
}
