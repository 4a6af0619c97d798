// Who a run is put on record for: the session by its name, and the account whose rights counted; and who may look at it.

import type { Hub } from '../hub.ts';
import type { Session } from '../session.ts';
import type { Seeing, Starter } from './record.ts';

export function starterOf(session: Session, { hub, address }: { hub: Pick<Hub, 'rights'>; address: string }): Starter {
  const { member } = session;
  const account = hub.rights.of(session);
  const asName = account === member ? {} : { asName: account.name };
  return { by: account.id, byName: member.name, ...asName, address };
}

/** Whose runs a session may see: its own and those that it approved, the owner everybody's. */
export function seenBy(session: Session, hub: Pick<Hub, 'rights'>): Seeing {
  if (session.role === 'owner') return { member: undefined };
  const { id: member, account } = hub.rights.of(session);
  return account === undefined ? { member } : { member, approver: member };
}
