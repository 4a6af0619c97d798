// Accounts: who may invite whom, what an invitation turns into, and how an account ends. Everything is decided at once
// and counts when the journal has it.

import { parseCode } from './code.ts';
import type { Secrets } from './credentials.ts';
import type { Hub } from './hub.ts';
import type { Account, Change, Invite, Journal } from './journal.ts';
import { parseName, type NameKey } from './name.ts';
import type { AccountRefusal } from './refusal.ts';
import type { Member, MemberKind, Role, Session } from './session.ts';

export type InvitedRole = Invite['role'];

/** Milliseconds that an invitation counts: a person reads mail once a day, a machine is set up now. */
export const INVITE_MS = 86_400_000;
export const HOST_INVITE_MS = 3_600_000;
/** Invitations that wait at once, and tokens of one account. */
export const MAX_INVITES = 1_000;
export const MAX_TOKENS = 100;
/** UTF-16 units of what a token is said to be for. */
export const MAX_LABEL_CHARACTERS = 64;
/** What a machine's key is said to be for, among the tokens of its account. */
const KEY_LABEL = 'key of the machine';

export interface AccountsWorld {
  readonly journal: Journal;
  readonly hub: Pick<Hub, 'directory' | 'head' | 'refusalOfName' | 'isPresent' | 'rights' | 'sessionsOf'>;
  readonly secrets: Secrets;
  /** An account is no more: what goes on for it without a session ends too. */
  readonly onRevoked?: (member: Member) => void;
}

export interface Invitation {
  readonly name: string;
  readonly role: InvitedRole;
  readonly kind: MemberKind;
  /** Shown once; the journal keeps its hash. */
  readonly code: string;
  readonly expiresAtMs: number;
  /** There was a code for this name that nobody had used; it is worth nothing now. */
  readonly isReplacing: boolean;
  /** There is an account of this name: whoever comes in with the code takes it over. */
  readonly isExisting: boolean;
}

/** What somebody showed to come in, and whose it is. */
export type Bearer =
  | { readonly kind: 'account'; readonly member: Member; readonly token: number }
  | { readonly kind: 'invited'; readonly invite: Invite };

/** What a verb came to: no, or what changes and what is said once it is durable. */
type Decision<Value> = AccountRefusal | { readonly changes: readonly Change[]; readonly answer: () => Value };
type Done<Value> = (answer: Value | AccountRefusal) => void;

export interface Deciding<Value> {
  readonly nowMs: number;
  readonly done: Done<Value>;
}

export class Accounts {
  readonly #world: AccountsWorld;
  /** Decisions that wait until the one before them is durable: two never see the same free name or unused code. */
  readonly #waiting: (() => void)[] = [];
  #isDeciding = false;

  constructor(world: AccountsWorld) {
    this.#world = world;
  }

  /** The first start makes the owner; a later one may give it another name. */
  ensureOwner(ownerName: string, { nowMs, done }: Deciding<Member>): void {
    this.#decide(done, () => {
      const { directory } = this.#world.hub;
      const parsed = parseName(ownerName);
      if ('refused' in parsed) return { refused: 'bad-name', why: parsed };
      const owner = directory.owner();
      const answer = () => this.#accountOf(parsed.key);
      if (owner?.account !== undefined && owner.name === parsed.name) return { changes: [], answer };
      const other = directory.account(parsed.key);
      if (other !== undefined && other !== owner) return { refused: 'name-reserved' };
      if (owner?.account !== undefined) {
        return { changes: [{ type: 'account-changed', account: { ...owner.account, ...parsed } }], answer };
      }
      const account = this.#newAccount({ ...parsed, role: 'owner', kind: 'person' }, nowMs);
      return { changes: [{ type: 'account-added', account }], answer };
    });
  }

  invite(
    by: Session,
    { name: given, role = 'member', kind = 'person' }: Inviting,
    { nowMs, done }: Deciding<Invitation>,
  ): void {
    this.#decide(done, () => {
      const { hub } = this.#world;
      const { directory } = hub;
      if (isRevoked(by.member) || !mayInvite(by.role, role)) return { refused: 'not-allowed', what: 'invite' };
      const parsed = parseName(given);
      if ('refused' in parsed) return { refused: 'bad-name', why: parsed };
      const pending = directory.invitationOf(parsed.key, nowMs);
      const again = directory.account(parsed.key)?.account;
      const replaced = [...directory.expiredInvites(nowMs), ...(pending === undefined ? [] : [pending])];
      if (again !== undefined && again.role !== 'owner' && mayLetInAgain(by, again)) {
        const { name, key, role, kind: its, revokedAtMs } = again;
        const isExisting = revokedAtMs === undefined;
        // A person's name is never another's. A machine's is, of a machine that is invited as one.
        if (kind === 'host' && its !== 'host') return { refused: 'name-reserved', wasRevoked: !isExisting };
        if (isExisting || kind === 'host') {
          return this.#invitation(by, { name, key, role, kind: its, replaced, isExisting, nowMs });
        }
        return { refused: 'name-reserved', wasRevoked: true, isMachines: its === 'host' };
      }
      if (again?.revokedAtMs !== undefined) return { refused: 'name-reserved', wasRevoked: true };
      const taken = pending === undefined ? hub.refusalOfName(parsed, nowMs) : undefined;
      if (taken !== undefined) return taken;
      if (pending !== undefined && !mayTakeBack(by, pending)) return { refused: 'name-reserved' };
      if (hub.isPresent(parsed.key)) return { refused: 'name-in-use' };
      return this.#invitation(by, { ...parsed, role, kind, replaced, isExisting: false, nowMs });
    });
  }

  #invitation(by: Session, { name, key, role, kind, replaced, isExisting, nowMs }: NewInvite): Decision<Invitation> {
    const { secrets, hub } = this.#world;
    if (Array.from(hub.directory.invites).length - replaced.length >= MAX_INVITES) {
      return { refused: 'too-many', what: 'invitations', max: MAX_INVITES };
    }
    const code = secrets.newCode();
    const hash = secrets.hash(parseCode(code) ?? code);
    const expiresAtMs = nowMs + (kind === 'host' ? HOST_INVITE_MS : INVITE_MS);
    const invite = { name, key, hash, role, kind, by: by.member.id, createdAtMs: nowMs, expiresAtMs };
    const changes: Change[] = replaced.map((old) => ({ type: 'invite-removed', hash: old.hash }));
    changes.push({ type: 'invite-added', invite });
    const isReplacing = replaced.some((old) => old.key === key && old.expiresAtMs > nowMs);
    return { changes, answer: () => ({ name, role, kind, code, expiresAtMs, isReplacing, isExisting }) };
  }

  /** Whose code or token this is; a code only until it expires or is used. */
  bearerOf(secret: string, nowMs: number): Bearer | undefined {
    const { secrets } = this.#world;
    const { directory } = this.#world.hub;
    const hash = secrets.hash(parseCode(secret) ?? secret);
    const found = directory.bearerOf(hash);
    if (found !== undefined) return { kind: 'account', ...found };
    const invite = directory.invite(hash, nowMs);
    return invite === undefined ? undefined : { kind: 'invited', invite };
  }

  /** An invitation becomes an account, once; a machine's only with its key, and anybody else's only without one. */
  accept({ hash }: Invite, { password, key, nowMs, done }: Deciding<Member> & Brought): void {
    this.#decide(done, () => {
      const { directory } = this.#world.hub;
      const invite = directory.invite(hash, nowMs);
      if (invite === undefined) return { refused: 'bad-secret' };
      if ((invite.kind === 'host') !== (key !== undefined)) return { refused: 'wrong-kind', kind: invite.kind };
      const changes: Change[] = [{ type: 'invite-removed', hash }];
      const again = directory.account(invite.key);
      const isRevoked = again?.account?.revokedAtMs !== undefined;
      // Revoking took its codes back: this one was made after that, for a machine that is to have the name.
      if (isRevoked && invite.kind !== 'host') return { refused: 'bad-secret' };
      const account = again?.account ?? this.#newAccount(invite, nowMs);
      const isNew = again === undefined || isRevoked;
      const invitedBy = isNew ? invite.by : account.invitedBy;
      const changed = { ...account, invitedBy, revokedAtMs: undefined, password: password ?? account.password };
      changes.push({ type: again === undefined ? 'account-added' : 'account-changed', account: changed });
      if (key !== undefined) {
        const holder = directory.bearerOf(key)?.member;
        // The machine itself may come with a code again: it has lost what it knew of the server.
        if (holder !== undefined && holder !== again) return { refused: 'key-taken' };
        // A machine has one key: what it had before counts no more.
        const before = again === undefined ? [] : directory.tokensOf(again);
        changes.push(...before.map(({ id }) => ({ type: 'token-removed', id }) as const));
        const token = { id: directory.nextTokenId(), account: account.id, label: KEY_LABEL, hash: key };
        changes.push({ type: 'token-added', token: { ...token, createdAtMs: nowMs } });
      }
      return { changes, answer: () => this.#accountOf(invite.key) };
    });
  }

  /** `password`: as it is to be stored. */
  setPassword(member: Member, password: string, done: Done<'changed'>): void {
    this.#decide(done, () => {
      const { account } = member;
      if (account === undefined) return { refused: 'no-account' };
      if (isRevoked(member)) return { refused: 'bad-secret' };
      return {
        changes: [{ type: 'account-changed', account: { ...account, password } }],
        answer: () => 'changed' as const,
      };
    });
  }

  newToken(member: Member, label: string, { nowMs, done }: Deciding<NewToken>): void {
    this.#decide(done, () => {
      const { secrets } = this.#world;
      const { directory } = this.#world.hub;
      if (member.account === undefined) return { refused: 'no-account' };
      if (isRevoked(member)) return { refused: 'bad-secret' };
      if (directory.tokensOf(member).length >= MAX_TOKENS) {
        return { refused: 'too-many', what: 'tokens', max: MAX_TOKENS };
      }
      const secret = secrets.newToken();
      const id = directory.nextTokenId();
      const shown = label.slice(0, MAX_LABEL_CHARACTERS);
      const token = { id, account: member.id, label: shown, hash: secrets.hash(secret), createdAtMs: nowMs };
      return { changes: [{ type: 'token-added', token }], answer: () => ({ token: secret, id }) };
    });
  }

  /**
   * One of the member's own: sessions that came in by it, and rights that somebody has by it, end with it. The one that
   * asks for it is for its door to end, once it has been answered.
   */
  removeToken({ member, listener }: Pick<Session, 'member' | 'listener'>, id: number, done: Done<'removed'>): void {
    this.#decide(done, () => {
      const { hub } = this.#world;
      const isOwn = hub.directory.tokensOf(member).some((token) => token.id === id);
      if (!isOwn) return { refused: 'bad-secret' };
      const answer = () => {
        hub.rights.lower(({ token }) => token === id);
        const ended = hub.sessionsOf(member).filter((session) => session.token === id && session.listener !== listener);
        for (const session of ended) session.listener.dismiss({ why: 'token-removed' });
        return 'removed' as const;
      };
      return { changes: [{ type: 'token-removed', id }], answer };
    });
  }

  /** Ends an account, its tokens, its sessions, and the rights that others have by it; or takes an invitation back. */
  revoke(by: Session, given: string, { nowMs, done }: Deciding<'account' | 'invitation'>): void {
    this.#decide(done, () => {
      const { directory } = this.#world.hub;
      const may = by.role === 'owner' || by.role === 'operator';
      if (isRevoked(by.member) || !may) return { refused: 'not-allowed', what: 'revoke' };
      const parsed = parseName(given);
      if ('refused' in parsed) return { refused: 'unknown-account', name: given };
      const invite = directory.invitationOf(parsed.key, nowMs);
      const member = directory.account(parsed.key);
      if (invite !== undefined && (member === undefined || isRevoked(member))) {
        if (!mayTakeBack(by, invite)) return { refused: 'not-allowed', what: 'revoke' };
        return { changes: [{ type: 'invite-removed', hash: invite.hash }], answer: () => 'invitation' as const };
      }
      if (member?.account === undefined) return { refused: 'unknown-account', name: given };
      const { account } = member;
      if (account.revokedAtMs !== undefined) return { refused: 'unknown-account', name: member.name, wasRevoked: true };
      const mayEnd = by.role === 'owner' || account.invitedBy === by.member.id;
      if (account.role === 'owner' || !mayEnd) return { refused: 'not-allowed', what: 'revoke' };
      const changes: Change[] = directory.tokensOf(member).map(({ id }) => ({ type: 'token-removed', id }));
      changes.push({ type: 'account-changed', account: { ...account, revokedAtMs: nowMs, password: undefined } });
      // What it has given out is worth nothing either: it could be its own way back.
      const codes = directory.invites.filter((given) => given === invite || given.by === member.id);
      for (const { hash } of codes) changes.push({ type: 'invite-removed', hash });
      return { changes, answer: () => this.#dismiss(member) };
    });
  }

  #dismiss(member: Member): 'account' {
    this.#world.hub.rights.lower(({ by }) => by === member);
    for (const session of this.#world.hub.sessionsOf(member)) session.listener.dismiss({ why: 'revoked' });
    this.#world.onRevoked?.(member);
    return 'account';
  }

  #newAccount({ name, key, role, kind }: Pick<Account, 'name' | 'key' | 'role' | 'kind'>, nowMs: number): Account {
    const since = this.#world.hub.head;
    const id = this.#world.hub.directory.nextAccountId();
    const nothing = { invitedBy: undefined, password: undefined, revokedAtMs: undefined };
    return { id, name, key, role, kind, createdAtMs: nowMs, since, delivered: since, ...nothing };
  }

  #accountOf(key: NameKey): Member {
    const member = this.#world.hub.directory.account(key);
    if (member === undefined) throw new Error('An account that was just written is not there');
    return member;
  }

  #decide<Value>(done: Done<Value>, verb: () => Decision<Value>): void {
    this.#waiting.push(() => {
      const decision = verb();
      const changes = 'refused' in decision ? [] : decision.changes;
      this.#world.journal.record(changes, (recorded) => {
        if ('refused' in decision) done(decision);
        else if (recorded !== undefined) done({ refused: 'not-stored', reason: recorded.failed });
        else {
          for (const change of changes) this.#world.hub.directory.apply(change);
          done(decision.answer());
        }
        this.#isDeciding = false;
        this.#next();
      });
    });
    this.#next();
  }

  #next(): void {
    if (this.#isDeciding) return;
    const decide = this.#waiting.shift();
    if (decide === undefined) return;
    this.#isDeciding = true;
    decide();
  }
}

/** What comes with an invitation's code. */
export interface Brought {
  /** As it is to be stored. */
  readonly password?: string;
  /** What is kept of a machine's key. */
  readonly key?: string;
}

type NewInvite = Pick<Invite, 'name' | 'key' | 'role' | 'kind'> & {
  readonly replaced: readonly Invite[];
  readonly isExisting: boolean;
  readonly nowMs: number;
};

export interface Inviting {
  readonly name: string;
  readonly role?: InvitedRole;
  readonly kind?: MemberKind;
}

export interface NewToken {
  readonly token: string;
  readonly id: number;
}

/** It may have asked before it was, and be answered after. */
function isRevoked({ account }: Member): boolean {
  return account?.revokedAtMs !== undefined;
}

/** Contract 1: an operator invites members and hosts, the owner everyone else too. */
function mayInvite(by: Role, role: InvitedRole): boolean {
  return by === 'owner' || (by === 'operator' && role === 'member');
}

/** Whoever has lost a password needs a way back in, and gets it from whoever let them in. */
function mayLetInAgain(by: Session, { role, invitedBy }: Account): boolean {
  return by.role === 'owner' || (by.role === 'operator' && role === 'member' && invitedBy === by.member.id);
}

function mayTakeBack(by: Session, invite: Invite): boolean {
  return by.role === 'owner' || (by.role === 'operator' && invite.by === by.member.id);
}
