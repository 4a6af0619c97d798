// Members and their sessions: who is here, by which door, with which rights.

import type { Said } from './event.ts';
import type { Name, NameKey } from './name.ts';

/** Roles by what they may do; each may what the next may. */
export type Role = 'owner' | 'operator' | 'member' | 'guest';

/** What a member is; a host is a machine that accepts commands. */
export type MemberKind = 'person' | 'bot' | 'host';

/** Somebody known by name. A guest is a new member at every login, whatever the name. */
export interface Member {
  readonly name: Name;
  readonly key: NameKey;
  readonly role: Role;
  readonly sessions: Session[];
}

/** One live use of a connection by a member. */
export interface Session {
  readonly member: Member;
  readonly outlet: Outlet;
  readonly listener: Listener;
  /** The member's role, or more after a later login. */
  role: Role;
}

/** One session's ear. */
export interface Listener {
  deliver(said: Said): void;
}

/**
 * A door's side of a broadcast: it tells all its present sessions at once, so that it may encode once and share the
 * bytes, except those of the sender.
 */
export interface Outlet {
  broadcast(said: Said, except: readonly Session[]): void;
}
