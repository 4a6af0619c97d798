// Whose rights a session has: the member's own, or those of an account that a later login lent it, as long as what was shown
// for them counts.

import type { Member, Role, Session } from './session.ts';

/** Rights beyond one's own, by a later login. */
export interface Raise {
  /** Whose rights they are. */
  readonly by: Member;
  /** The token that was shown; undefined: the owner token. */
  readonly token: number | undefined;
  /** They have ended, and the session goes on without them. */
  readonly onOver: () => void;
}

export class Rights {
  /** Sessions with rights that another account lent them. */
  readonly #raised = new Map<Session, Raise>();

  /** A later login gives a session the rights of an account; its name stays. */
  raise(session: Session, raise: Raise): void {
    this.#raised.set(session, raise);
    session.role = roleOf(raise.by);
  }

  /** Whose rights a session has. */
  of(session: Session): Member {
    return this.#raised.get(session)?.by ?? session.member;
  }

  /** What was shown for these rights counts no more: whoever has them has only its own again. */
  lower(isOver: (raise: Raise) => boolean): void {
    for (const [session, raise] of this.#raised) {
      if (!isOver(raise)) continue;
      this.#raised.delete(session);
      session.role = roleOf(session.member);
      raise.onOver();
    }
  }

  /** The session is over. */
  forget(session: Session): void {
    this.#raised.delete(session);
  }
}

export function roleOf({ account }: Member): Role {
  return account?.role ?? 'guest';
}
