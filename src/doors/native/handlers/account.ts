// Accounts and invitations.

import type { Inviting } from '../../../core/accounts.ts';
import { judgePassword } from '../../../core/password.ts';
import {
  accountInvite,
  accountList,
  accountPassword,
  accountRevoke,
} from '../../../protocol/native/methods/account.ts';
import { formatJoinCode } from '../../../net/join-code.ts';
import { quote } from '../../../protocol/text.ts';
import { wordsForPassword } from '../../shared/words.ts';
import { entry, sessionOf, type Asker, type Entries } from '../entry.ts';
import { pageOf, type Keyed } from '../page.ts';
import { invite, revoke, setPassword } from '../promises.ts';
import type { MemberId } from '../../../core/journal.ts';
import { accountError, no, toAccount, toInvitation, toTime } from '../translate.ts';

export const ACCOUNT: Entries<'account.invite' | 'account.list' | 'account.revoke' | 'account.password'> = {
  'account.invite': entry(accountInvite, {
    needs: 'operator',
    summary: 'Invites somebody, whose name is theirs from now on; the code is shown this once',
    answer: inviteOne,
  }),
  'account.list': entry(accountList, {
    needs: 'member',
    summary: 'All accounts; to operators and the owner the invitations that wait, too',
    answer: list,
  }),
  'account.revoke': entry(accountRevoke, {
    needs: 'operator',
    summary: 'Ends an account with its tokens and connections, or takes an invitation back',
    answer: revokeOne,
  }),
  'account.password': entry(accountPassword, {
    needs: 'member',
    summary: 'Sets one’s own password',
    holds: true,
    answer: changePassword,
  }),
};

async function inviteOne(asker: Asker, given: Inviting) {
  const invited = await invite(asker.house, sessionOf(asker), given);
  if ('refused' in invited) return { error: accountError(invited, `Cannot invite ${quote(given.name)}`) };
  const { expiresAtMs, isReplacing, isExisting, ...shown } = invited;
  // A machine asks nobody whether the server is the right one: its code says so.
  const code = shown.kind === 'host' ? formatJoinCode(shown.code, asker.house.fingerprint()) : shown.code;
  const expires = toTime(expiresAtMs);
  return { result: { ...shown, code, expires, replaced: isReplacing, existing: isExisting } };
}

function list(asker: Asker, { after }: { after?: string }) {
  const { hub, now } = asker.house;
  const { role } = sessionOf(asker);
  const nameOf = (id: MemberId) => hub.directory.byId(id)?.name;
  const seesInvitations = role === 'owner' || role === 'operator';
  const waiting = seesInvitations ? [...hub.directory.invites].filter(({ expiresAtMs }) => expiresAtMs > now()) : [];
  const all: Keyed<Listed>[] = [
    ...Array.from(hub.directory.accounts, (member) => ({
      key: member.key,
      item: { account: toAccount(member, nameOf) },
    })),
    // An account may be invited anew.
    ...waiting.map((invite) => ({
      key: `${invite.key} invited`,
      item: { invitation: toInvitation(invite) },
    })),
  ];
  const { items, ...next } = pageOf(all, after);
  const accounts = items.flatMap(({ account }) => account ?? []);
  const invitations = items.flatMap(({ invitation }) => invitation ?? []);
  return { result: { accounts, ...(seesInvitations ? { invitations } : {}), ...next } };
}

interface Listed {
  readonly account?: ReturnType<typeof toAccount>;
  readonly invitation?: ReturnType<typeof toInvitation>;
}

async function revokeOne(asker: Asker, { name }: { name: string }) {
  const revoked = await revoke(asker.house, sessionOf(asker), name);
  if (typeof revoked !== 'string') return { error: accountError(revoked, `Cannot revoke ${quote(name)}`) };
  return { result: { revoked } };
}

async function changePassword(asker: Asker, { password }: { password: string }) {
  const judged = judgePassword(password);
  if ('refused' in judged) return no('bad-password', wordsForPassword(judged));
  const hashed = await asker.house.passwords.hash(judged.password);
  if ('refused' in hashed) {
    return no('busy', 'Cannot set the password now: too many are being checked; try again');
  }
  const changed = await setPassword(asker.house, sessionOf(asker).member, hashed.stored);
  return changed === 'changed' ? { result: {} } : { error: accountError(changed, 'Cannot set the password') };
}
