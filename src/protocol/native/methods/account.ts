// Accounts and invitations over a native connection.

import { method, NOTHING } from '../method.ts';
import { listOf, object, oneOf, optional, orNull, text, time, truth } from '../shape.ts';
import { KINDS } from './chat.ts';
import { ROLES } from './login.ts';

export const INVITED_ROLES = ['member', 'operator'] as const;

const invited = { name: text, role: oneOf(INVITED_ROLES), kind: oneOf(KINDS) } as const;

/**
 * `code` is shown this once; `replaced`: an earlier code for this name, which nobody had used, works no longer; `existing`:
 * there is an account of this name, which whoever comes in with the code takes over.
 */
export const accountInvite = method('account.invite', {
  params: object({ name: text, role: optional(oneOf(INVITED_ROLES)), kind: optional(oneOf(KINDS)) }),
  result: object({ ...invited, code: text, expires: time, replaced: truth, existing: truth }),
});

/** `invitations` for operators and the owner only. */
export const accountList = method('account.list', {
  params: object({ after: optional(text) }),
  result: object({
    next: optional(text),
    accounts: listOf(
      object({
        name: text,
        role: oneOf(ROLES),
        kind: oneOf(KINDS),
        since: time,
        invitedBy: orNull(text),
        revoked: truth,
      }),
    ),
    invitations: optional(listOf(object({ ...invited, expires: time }))),
  }),
});

export const accountRevoke = method('account.revoke', {
  params: object({ name: text }),
  result: object({ revoked: oneOf(['account', 'invitation']) }),
});

export const accountPassword = method('account.password', { params: object({ password: text }), result: NOTHING });
