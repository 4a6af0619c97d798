// Coming in, once for each connection: as a guest, or with what shows whose account it is.

import { judgePassword } from '../../../core/password.ts';
import { parseName } from '../../../core/name.ts';
import type { Member } from '../../../core/session.ts';
import { countedAs } from '../../../net/limits.ts';
import { loginCode, loginGuest, loginPassword, loginToken } from '../../../protocol/native/methods/login.ts';
import type { RpcError } from '../../../protocol/native/rpc.ts';
import { quote } from '../../../protocol/text.ts';
import { wordsForGuessing, wordsForPassword } from '../../shared/words.ts';
import { entry, type Asker, type Entries } from '../entry.ts';
import { acceptInvitation, newToken } from '../promises.ts';
import { accountError, enterError, no, refusal, roleOf } from '../translate.ts';

/** What a token is said to be for, if its client does not say. */
const DEFAULT_LABEL = 'login';

export const LOGIN: Entries<'login.token' | 'login.password' | 'login.guest' | 'login.code'> = {
  'login.token': entry(loginToken, {
    needs: 'nobody',
    summary: 'Comes in as the account whose token it is',
    answer: withToken,
  }),
  'login.password': entry(loginPassword, {
    needs: 'nobody',
    summary: 'Comes in as the account of that name',
    holds: true,
    answer: withPassword,
  }),
  'login.guest': entry(loginGuest, {
    needs: 'nobody',
    summary: 'Comes in as a guest, who is present from then on',
    answer: asGuest,
  }),
  'login.code': entry(loginCode, {
    needs: 'nobody',
    summary: 'Turns an invitation into an account, and makes a token for this client',
    holds: true,
    answer: withCode,
  }),
};

function withToken(asker: Asker, { token }: { token: string }) {
  const { accounts, now } = asker.house;
  const refused = refusalOfSecrets(asker);
  if (refused !== undefined) return { error: refused };
  const bearer = accounts.bearerOf(token, now());
  if (bearer?.kind === 'account') return comeIn(asker, bearer.member, bearer.token);
  return wrongSecret(asker, 'Cannot log in: the token is not valid', 'wrong token');
}

async function withPassword(asker: Asker, { name, password }: { name: string; password: string }) {
  const { hub, guesses, passwords, clock } = asker.house;
  const refused = refusalOfSecrets(asker);
  if (refused !== undefined) return { error: refused };
  const parsed = parseName(name);
  const member = 'refused' in parsed ? undefined : hub.directory.account(parsed.key);
  // Where there is no such account, or none any more, the answer and its time are the same.
  const stored = member?.account?.password;
  const claim = { name: 'refused' in parsed ? '' : parsed.key, from: countedAs(asker.peer) };
  const verdict = await guesses.check(claim, clock(), () => passwords.verify(password, stored));
  if (typeof verdict === 'object') {
    const reason = wordsForGuessing(verdict, `Cannot check the password of ${quote(name)}`);
    return asker.fail(refusal(verdict.refused, reason, { waitMs: verdict.waitMs }), 'password not checked');
  }
  if (verdict === 'busy') return { error: busy() };
  const isThere = member !== undefined && member.account?.revokedAtMs === undefined;
  if (verdict === 'right' && isThere) return comeIn(asker, member);
  const words = `Cannot log in as ${quote(name)}: name and password do not belong together`;
  return asker.fail(refusal('wrong-password', words), 'wrong password');
}

function asGuest(asker: Asker, { name }: { name: string }) {
  if (asker.role !== 'nobody') return { error: alreadyIn() };
  const entered = asker.ear.enter(name);
  if ('refused' in entered) return { error: enterError(entered, name, asker.peer.address) };
  asker.comeIn();
  return { result: { name: entered.member.name, role: entered.role } };
}

async function withCode(asker: Asker, given: { code: string; password?: string; label?: string }) {
  const { accounts, passwords, now } = asker.house;
  const refused = refusalOfSecrets(asker);
  if (refused !== undefined) return { error: refused };
  const bearer = accounts.bearerOf(given.code, now());
  if (bearer?.kind !== 'invited') {
    return wrongSecret(asker, 'Cannot log in: the code is not valid any more, or never was', 'wrong code');
  }
  let stored: string | undefined;
  if (given.password !== undefined) {
    const judged = judgePassword(given.password);
    if ('refused' in judged) return no('bad-password', wordsForPassword(judged));
    const hashed = await passwords.hash(judged.password);
    if ('refused' in hashed) return { error: busy() };
    stored = hashed.stored;
  }
  const member = await acceptInvitation(asker.house, bearer.invite, stored === undefined ? {} : { password: stored });
  if ('refused' in member) return { error: accountError(member, 'Cannot log in') };
  const made = await newToken(asker.house, member, given.label ?? DEFAULT_LABEL);
  const cameIn = comeIn(asker, member, 'refused' in made ? undefined : made.id);
  if ('error' in cameIn) return cameIn;
  if ('refused' in made) return { error: accountError(made, 'Cannot make a token, though the account is there') };
  return { result: { ...cameIn.result, token: made.token } };
}

function comeIn(asker: Asker, member: Member, token?: number) {
  // It may have been revoked while a password was hashed or a token was made.
  if (member.account?.revokedAtMs !== undefined) return no('bad-secret', 'Cannot log in: the account has been revoked');
  asker.house.guesses.cameIn({ name: member.key, from: countedAs(asker.peer) });
  asker.ear.visit(member, token);
  // Whoever has gone while a password was hashed is answered nothing.
  if (!asker.comeIn()) return no('closing', 'Cannot log in: the connection is closing');
  return { result: { name: member.name, role: roleOf(member) } };
}

export function wrongSecret(asker: Asker, reason: string, event: string) {
  const { guesses, clock } = asker.house;
  const isLast = guesses.wrongSecret(countedAs(asker.peer), clock());
  return asker.fail(refusal('bad-secret', reason), event, { isLast });
}

/** Why no secret is taken from this connection. */
export function refusalOfSecrets({ role, peer: { isLoopback, isEncrypted, address } }: Asker): RpcError | undefined {
  if (role !== 'nobody') return alreadyIn();
  if (isLoopback || isEncrypted) return undefined;
  const why = 'this connection is plain text, and what was sent may have been read on the way';
  return refusal('not-encrypted', `Cannot log in from ${address}: ${why}`);
}

function alreadyIn(): RpcError {
  return refusal('already-logged-in', 'Cannot log in: this connection has done so already');
}

function busy(): RpcError {
  return refusal('busy', 'Cannot take the password now: too many are being checked; try again');
}
