// A command that waits for a second person: what exactly is asked, by whom, and who may say yes or no. The digest of the
// whole is what is approved, so that what starts differs in nothing from what was looked at.

import type { MemberId } from '../journal.ts';
import type { Name, NameKey } from '../name.ts';
import type { RunRequest } from '../ports.ts';
import type { Member, Role } from '../session.ts';
import { isAmong, type Approvers } from './policy.ts';
import type { Starter } from './record.ts';

/** Never given twice, also over starts of the server: a number in an old message must not mean a new request. */
export type ApprovalId = number;

/** Everything that is started, and where. */
export interface AskedRun {
  /** Whose rights count. */
  readonly by: Name;
  /** All of them, in the order in which they were found. */
  readonly hosts: readonly string[];
  readonly request: RunRequest;
}

/** Somebody, with the rights that a session has. */
export interface Person {
  /** Who came in, and whose rights a later login lent: one who is either is the same person. */
  readonly ids: readonly MemberId[];
  readonly name: Name;
  /** Of the account; undefined for a guest. */
  readonly key: NameKey | undefined;
  readonly role: Role;
  /** The account itself, which may be revoked meanwhile. */
  readonly member: Member;
}

/** `member` came in; `acts` is whose rights it has. */
export function personOf({ member, role }: { readonly member: Member; readonly role: Role }, acts: Member): Person {
  const { name, key, account } = acts;
  return { ids: [member.id, acts.id], name, key: account === undefined ? undefined : key, role, member: acts };
}

export function isSamePerson(one: Person, other: Person): boolean {
  return one.ids.some((id) => other.ids.includes(id));
}

/** The owner may always; that it is somebody else than who asks is another question. */
export function mayApprove(person: Person, approvers: Approvers): boolean {
  if (person.member.account === undefined || person.member.account.revokedAtMs !== undefined) return false;
  return person.role === 'owner' || approvers.every((list) => isAmong(list, person));
}

/** How it was decided. `withdrawn`: who asked wants it no more, or has gone. */
export type Decision =
  | { readonly how: 'approved' | 'denied'; readonly by: Name }
  | { readonly how: 'expired' | 'withdrawn' };

export interface Approval {
  readonly id: ApprovalId;
  /** SHA-256 of the canonical JSON of `asked`, 64 hexadecimal digits. */
  readonly hash: string;
  readonly asked: AskedRun;
  readonly asker: Person;
  /** Who it goes on record for, if it starts nowhere. */
  readonly starter: Starter;
  readonly approvers: Approvers;
  /** Times of day. */
  readonly askedMs: number;
  readonly expiresMs: number;
}

/** In every case nothing was started. */
export type AskRefusal =
  /** `one`: of one account. */
  | { readonly refused: 'too-many-waiting'; readonly of: 'one' | 'all'; readonly max: number }
  /** Nobody reads so much before saying yes. */
  | { readonly refused: 'request-too-long'; readonly bytes: number; readonly maxBytes: number };

export type ApprovalRefusal =
  | { readonly refused: 'unknown-approval'; readonly id: ApprovalId }
  | { readonly refused: 'approval-over'; readonly id: ApprovalId; readonly decision: Decision }
  /** What was seen, or is to be started, is not what was asked for. */
  | { readonly refused: 'approval-changed'; readonly id: ApprovalId }
  | { readonly refused: 'own-approval'; readonly id: ApprovalId }
  | { readonly refused: 'may-not-approve'; readonly id: ApprovalId };

/** Why a request cannot be approved. */
export type ApproveRefusal =
  | ApprovalRefusal
  /** Whoever approves it: the policy of now refuses the command. */
  | { readonly refused: 'not-allowed'; readonly id: ApprovalId };

/** Why an approval does not let a command start. */
export type UseRefusal =
  | ApprovalRefusal
  | { readonly refused: 'not-approved'; readonly id: ApprovalId }
  /** Once on each machine. */
  | { readonly refused: 'approval-used'; readonly id: ApprovalId; readonly host: string };

/** Who said yes, and to what. */
export interface Approved {
  readonly by: Name;
  /** The account, which a name is not: the owner's may be given away. */
  readonly member: MemberId;
  readonly hash: string;
}

/** Accounts that a request is told to: whoever is to approve is among them, or it is the owner, who may always. */
export const MAX_TOLD = 50;

/** Those here first: who reads it at once can answer in time. */
export function toBeTold(accounts: Iterable<Member>, { asker, approvers, isPresent }: Telling): readonly Member[] {
  const others = Array.from(accounts).filter(
    ({ id, account }) => account?.revokedAtMs === undefined && account?.kind !== 'host' && !asker.ids.includes(id),
  );
  const named = others.filter(({ key, account }) =>
    approvers.every((list) => isAmong(list, { key, role: account?.role ?? 'guest' })),
  );
  const told = named.length > 0 ? named : others.filter(({ account }) => account?.role === 'owner');
  return told.toSorted((a, b) => Number(isPresent(b.key)) - Number(isPresent(a.key))).slice(0, MAX_TOLD);
}

interface Telling {
  readonly asker: Person;
  readonly approvers: Approvers;
  readonly isPresent: (key: NameKey) => boolean;
}
