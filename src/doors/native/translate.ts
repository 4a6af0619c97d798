// Between the words of the native protocol and those of the core; no I/O.

import { ALL } from '../../core/chat/send.ts';
import type { Command } from '../../core/command.ts';
import type { Invite, MemberId, StoredMessage } from '../../core/journal.ts';
import type { AccountRefusal, EnterRefusal, GroupRefusal, RunRefusal, SendRefusal } from '../../core/refusal.ts';
import type { ApproveRefusal, UseRefusal } from '../../core/run/approval.ts';
import type { Member, Role } from '../../core/session.ts';
import type { WireMessage } from '../../protocol/native/methods/chat.ts';
import type { ErrorCode, MethodName } from '../../protocol/native/methods.ts';
import { rpcError, type ErrorData, type RpcError } from '../../protocol/native/rpc.ts';
import { quote } from '../../protocol/text.ts';
import { ATTEMPTS } from './attempts.ts';
import { isAboutGroups, wordsForAccount, wordsForEntering, wordsForGroup, wordsForSending } from '../shared/words.ts';
import { wordsForApproval, wordsForNeeded } from '../shared/words-approval.ts';
import { wordsForDenied, wordsForVerb, type Denied } from '../shared/words-run.ts';
import { wordsForTargets } from '../shared/words-targets.ts';

/** Why a run cannot have the streams that were named for it. */
export type StreamRefusal = Extract<ErrorCode, 'closing' | 'stream-number' | 'too-many-streams'>;

/** A refusal: what was attempted and what is true now, with the code that programs decide by. */
export function refusal(code: ErrorCode, message: string, facts: Omit<ErrorData, 'code'> = {}): RpcError {
  const kind = code === 'unknown-method' ? 'method' : code === 'bad-params' ? 'params' : 'refused';
  return rpcError(kind, { code, ...facts }, message);
}

export function no(code: ErrorCode, message: string): { readonly error: RpcError } {
  return { error: refusal(code, message) };
}

/** Whoever has come in is told as whom; `needs` is more than that. */
export function wordsForNeeds({ needs, role }: Lacking, method: MethodName): string {
  const attempt = ATTEMPTS[method];
  if (role === 'nobody') return `${attempt}: this connection has not shown who asks`;
  switch (needs) {
    case 'nobody':
    case 'guest':
      return `${attempt}: this connection has not shown who asks`;
    case 'member':
      return `${attempt}: it takes an account, and a guest has none`;
    case 'operator':
      return `${attempt}: only operators and the owner may, and you are ${AS[role]}`;
    case 'owner':
      return `${attempt}: only the owner may, and you are ${AS[role]}`;
  }
}

interface Lacking {
  readonly needs: Role | 'nobody';
  readonly role: Role | 'nobody';
}

const AS: Readonly<Record<Role, string>> = {
  owner: 'the owner',
  operator: 'an operator',
  member: 'a member',
  guest: 'a guest',
};

export function enterError(refused: EnterRefusal, name: string, address: string): RpcError {
  return refusal(refused.refused, wordsForEntering(refused, name, address));
}

export function chatError(refused: SendRefusal | GroupRefusal): RpcError {
  if (isAboutGroups(refused)) {
    const code = refused.refused === 'groups-not-stored' ? 'not-stored' : refused.refused;
    return refusal(code, wordsForGroup(refused));
  }
  const facts = {
    ...('names' in refused ? { names: refused.names } : {}),
    ...('id' in refused ? { id: refused.id } : {}),
  };
  return refusal(refused.refused, wordsForSending(refused), facts);
}

/** `attempt`: what somebody tried, up to the colon. */
export function accountError(refused: AccountRefusal, attempt: string): RpcError {
  return refusal(refused.refused, wordsForAccount(refused, attempt));
}

export function toSendCommand(given: { to: readonly string[]; text: string; key?: string }): Command {
  const { to, ...rest } = given;
  // JSON can hold half of a surrogate pair, and UTF-8 cannot: all are told what the journal will keep.
  const text = given.text.toWellFormed();
  return { type: 'send', to: toAddressed(to), ...rest, text };
}

export function toAddressed(to: readonly string[]): typeof ALL | readonly string[] {
  return to.length === 1 && to[0]?.toLowerCase() === ALL ? ALL : to;
}

/** RFC 3339 in UTC. */
export function toTime(atMs: number): string {
  return new Date(atMs).toISOString();
}

export function toWireMessage({ id, atMs, fromName, to, cast, text }: StoredMessage): WireMessage {
  return { id, at: toTime(atMs), from: fromName, to, cast, text };
}

export function roleOf({ account }: Member): Role {
  return account?.role ?? 'guest';
}

export function toAccount({ account }: Member, nameOf: (id: MemberId) => string | undefined) {
  if (account === undefined) return undefined;
  const { name, role, kind, createdAtMs, invitedBy, revokedAtMs } = account;
  const since = toTime(createdAtMs);
  const by = invitedBy === undefined ? undefined : nameOf(invitedBy);
  return { name, role, kind, since, invitedBy: by ?? null, revoked: revokedAtMs !== undefined };
}

export function toInvitation({ name, role, kind, expiresAtMs }: Invite) {
  return { name, role, kind, expires: toTime(expiresAtMs) };
}

/** A command that the core refuses. */
export function runError(refused: RunRefusal, denied: Denied): RpcError {
  if (refused.refused === 'not-allowed') {
    return refusal(refused.refused, wordsForDenied(refused, denied), { names: refused.names });
  }
  if (refused.refused === 'offline') {
    return refusal('offline', `Cannot run the command on ${quote(refused.name)}: it is offline`);
  }
  if (refused.refused === 'unknown-verb' || refused.refused === 'bad-verb') {
    return refusal(refused.refused, wordsForVerb(refused));
  }
  if (refused.refused === 'not-stored') {
    return refusal('not-stored', `Cannot run the command: its start cannot be put on record: ${refused.reason}`);
  }
  if (refused.refused === 'needs-approval') {
    return refusal(refused.refused, wordsForNeeded(refused, denied), { names: refused.names });
  }
  return refusal(refused.refused, wordsForTargets(refused), 'names' in refused ? { names: refused.names } : {});
}

/** A request for approval, or an approval, that is refused. */
export function approvalError(refused: UseRefusal | ApproveRefusal, attempt: string): { readonly error: RpcError } {
  return no(refused.refused, wordsForApproval(refused, attempt));
}

/** A command that the connection has no room for. */
export function wordsForStreams(refused: StreamRefusal, attempt = 'Cannot run the command'): RpcError {
  switch (refused) {
    case 'closing':
      return refusal(refused, `${attempt}: the server is closing`);
    case 'stream-number':
      return refusal(refused, `${attempt}: the streams are not numbered as they must be`);
    case 'too-many-streams':
      return refusal(refused, `${attempt}: too many are open`);
  }
}
