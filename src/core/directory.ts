// Who there is, present or not: accounts, what they come in with, who is invited, and the groups. It holds what the
// journal holds, so that every decision is made at once; a change counts from the moment it is decided.

import type { Account, Change, Everything, Invite, MemberId, Seen, Token } from './journal.ts';
import { Lookalikes } from './lookalikes.ts';
import type { NameKey } from './name.ts';
import type { Member } from './session.ts';

export interface GroupOf {
  readonly name: string;
  readonly key: string;
  readonly members: Set<Member>;
}

export class Directory {
  readonly #byKey = new Map<NameKey, Member>();
  readonly #byId = new Map<MemberId, Member>();
  readonly #tokens = new Map<string, Token>();
  readonly #invites = new Map<string, Invite>();
  readonly #invited = new Map<NameKey, Invite>();
  readonly #groups = new Map<string, GroupOf>();
  readonly #machines = new Map<MemberId, Seen>();
  /** Of accounts and invitations. */
  readonly lookalikes = new Lookalikes();
  #lastAccount = 0;
  #lastToken = 0;

  constructor({ accounts, tokens, invites, groups, machines }: Omit<Everything, 'start' | 'head'>) {
    for (const account of accounts) this.apply({ type: 'account-added', account });
    for (const token of tokens) this.apply({ type: 'token-added', token });
    for (const invite of invites) this.apply({ type: 'invite-added', invite });
    for (const { name, key, members } of groups) {
      for (const account of members) this.apply({ type: 'group-joined', group: { name, key }, account });
    }
    for (const seen of machines) this.apply({ type: 'machine-seen', seen });
  }

  /** Everyone with an account, the revoked ones too: their names stay taken. */
  get accounts(): Iterable<Member> {
    return this.#byKey.values();
  }

  get groups(): Iterable<GroupOf> {
    return this.#groups.values();
  }

  get invites(): IteratorObject<Invite> {
    return this.#invites.values();
  }

  /** What it said of itself when it was last here; undefined: it never was. */
  machine({ id }: Member): Seen | undefined {
    return this.#machines.get(id);
  }

  account(key: NameKey): Member | undefined {
    return this.#byKey.get(key);
  }

  byId(id: MemberId): Member | undefined {
    return this.#byId.get(id);
  }

  owner(): Member | undefined {
    return this.#byKey.values().find(({ account }) => account?.role === 'owner');
  }

  group(key: string): GroupOf | undefined {
    return this.#groups.get(key);
  }

  /** Whose token it is, and which, by its hash. */
  bearerOf(hash: string): { readonly member: Member; readonly token: number } | undefined {
    const token = this.#tokens.get(hash);
    const member = token === undefined ? undefined : this.#byId.get(token.account);
    return token === undefined || member === undefined ? undefined : { member, token: token.id };
  }

  tokensOf({ id }: Member): Token[] {
    return this.#tokens
      .values()
      .filter(({ account }) => account === id)
      .toArray();
  }

  /** Undefined too when it has expired. */
  invite(hash: string, nowMs: number): Invite | undefined {
    const invite = this.#invites.get(hash);
    return invite !== undefined && invite.expiresAtMs > nowMs ? invite : undefined;
  }

  invitationOf(key: NameKey, nowMs: number): Invite | undefined {
    const invite = this.#invited.get(key);
    return invite !== undefined && invite.expiresAtMs > nowMs ? invite : undefined;
  }

  expiredInvites(nowMs: number): Invite[] {
    return this.#invites
      .values()
      .filter(({ expiresAtMs }) => expiresAtMs <= nowMs)
      .toArray();
  }

  nextAccountId(): MemberId {
    return this.#lastAccount + 1;
  }

  nextTokenId(): number {
    return this.#lastToken + 1;
  }

  groupsOf(member: Member): GroupOf[] {
    return this.#groups
      .values()
      .filter(({ members }) => members.has(member))
      .toArray();
  }

  /** For guests too, whose memberships are in no journal. */
  addToGroup({ name, key }: { name: string; key: string }, member: Member): void {
    const group = this.#groups.get(key);
    if (group === undefined) this.#groups.set(key, { name, key, members: new Set([member]) });
    else group.members.add(member);
  }

  removeFromGroup(key: string, member: Member): void {
    const group = this.#groups.get(key);
    if (group?.members.delete(member) === true && group.members.size === 0) this.#groups.delete(key);
  }

  removeFromGroups(member: Member): void {
    for (const [key, { members }] of this.#groups) if (members.has(member)) this.removeFromGroup(key, member);
  }

  apply(change: Change): void {
    switch (change.type) {
      case 'account-added':
        return this.#add(change.account);
      case 'account-changed':
        return this.#change(change.account);
      case 'delivered': {
        const member = this.#byId.get(change.account);
        if (member?.account !== undefined) member.account = { ...member.account, delivered: change.upTo };
        return undefined;
      }
      case 'token-added':
        this.#tokens.set(change.token.hash, change.token);
        this.#lastToken = Math.max(this.#lastToken, change.token.id);
        return undefined;
      case 'token-removed':
        for (const [hash, { id }] of this.#tokens) if (id === change.id) this.#tokens.delete(hash);
        return undefined;
      case 'invite-added':
        this.#invites.set(change.invite.hash, change.invite);
        this.#invited.set(change.invite.key, change.invite);
        this.lookalikes.add(change.invite);
        return undefined;
      case 'invite-removed': {
        const invite = this.#invites.get(change.hash);
        this.#invites.delete(change.hash);
        if (invite === undefined) return undefined;
        this.lookalikes.remove(invite);
        if (this.#invited.get(invite.key) === invite) this.#invited.delete(invite.key);
        return undefined;
      }
      case 'group-joined': {
        const member = this.#byId.get(change.account);
        if (member !== undefined) this.addToGroup(change.group, member);
        return undefined;
      }
      case 'group-left': {
        const member = this.#byId.get(change.account);
        if (member !== undefined) this.removeFromGroup(change.group.key, member);
        return undefined;
      }
      case 'machine-seen':
        this.#machines.set(change.seen.account, change.seen);
        return undefined;
      case 'run-condemned':
        return undefined;
    }
  }

  #add(account: Account): void {
    const { id, name, key, since, delivered } = account;
    const member: Member = { id, name, key, since, account, delivered, sessions: [] };
    this.#byKey.set(key, member);
    this.#byId.set(id, member);
    this.lookalikes.add(member);
    this.#lastAccount = Math.max(this.#lastAccount, id);
  }

  /** Sessions hold on to the member, so it stays the same one; only the owner's name ever changes, between two starts. */
  #change(account: Account): void {
    const member = this.#byId.get(account.id);
    if (member === undefined) return;
    if (account.key === member.key && account.name === member.name) {
      member.account = account;
      return;
    }
    this.#byKey.delete(member.key);
    this.lookalikes.remove(member);
    this.#add(account);
  }
}
