// Members and their sessions: who is here, by which door, with which rights.

import type { Recipients } from './chat/send.ts';
import type { Outcome, Said } from './event.ts';
import type { Account, MemberId, MessageId } from './journal.ts';
import type { Name, NameKey } from './name.ts';

/** Roles by what they may do; each may what the next may. */
export type Role = 'owner' | 'operator' | 'member' | 'guest';

/** What a member is; a host is a machine that accepts commands. */
export type MemberKind = 'person' | 'bot' | 'host';

/** Somebody known by name. A guest is a new member at every login, whatever the name. */
export interface Member {
  readonly id: MemberId;
  readonly name: Name;
  readonly key: NameKey;
  /** Broadcasts up to here are from before its time. */
  readonly since: MessageId;
  /** As the journal has it; undefined for a guest. */
  account: Account | undefined;
  /** Everything up to here counts as delivered, whether the journal knows it yet or not. */
  delivered: MessageId;
  readonly sessions: Session[];
}

/** One live use of a connection by a member. */
export interface Session {
  readonly member: Member;
  readonly outlet: Outlet;
  readonly listener: Listener;
  /** Where it comes from, and since when. */
  readonly family: 'ipv4' | 'ipv6';
  readonly atMs: number;
  /** The token that it came in by, and ends with. */
  readonly token: number | undefined;
  /** The member's role, or more after a later login. */
  role: Role;
  /** It has ended, and is told nothing more. */
  isOver: boolean;
  /** Told of each message as it is committed; otherwise it reads on from the journal. */
  isLive: boolean;
  /** While it is not live: it was handed everything up to here. */
  cursor: MessageId;
  /** Wants to know what becomes of the messages it sends. */
  wantsReceipts: boolean;
  /** To whom its last message to one was. */
  lastSent: Recipients | undefined;
}

/** One session's ear. */
export interface Listener {
  /** What it is told counts as delivered only when it says so (`Hub.confirm`), not when it is written. */
  readonly acknowledges: boolean;
  /** So much waits for it that it is told nothing more for now. */
  readonly isFull: boolean;
  /** Live. */
  deliver(said: Said): void;
  /** What it missed, in order; at the end of the last page it is live. */
  catchUp(messages: readonly Said[], isLive: boolean): void;
  /** So many messages are waiting for it. Not more often than every `BEHIND_TOLD_MS`. */
  behind(count: number): void;
  /** What it sent has reached another of those for whom it was. */
  receipt(id: MessageId, name: Name, outcome: Outcome): void;
  /** It may stay no longer. */
  dismiss(why: Dismissal): void;
}

/** `revoked`: its account is no more; `token-removed`: what it came in by. `name-taken`: a guest's name is an account's now. */
export type Dismissal =
  | { readonly why: 'revoked' | 'token-removed' | 'name-taken' }
  /** The journal cannot be read. */
  | { readonly why: 'unreadable'; readonly reason: string };

/**
 * A door's side of a broadcast: it tells all its live sessions at once, so that it may encode once and share the
 * bytes, except those of the sender.
 */
export interface Outlet {
  broadcast(said: Said, except: readonly Session[]): void;
}
