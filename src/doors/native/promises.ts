// The core's verbs as promises: it answers by callback, in its own order, and a handler that does one thing after
// another reads better so.

import type { Brought, Invitation, Inviting, NewToken } from '../../core/accounts.ts';
import type { Answer } from '../../core/hub.ts';
import type { Command } from '../../core/command.ts';
import type { Invite } from '../../core/journal.ts';
import type { AccountRefusal } from '../../core/refusal.ts';
import type { Member, Session } from '../../core/session.ts';
import type { House } from './house.ts';

export function handle({ hub, now }: House, session: Session, command: Command): Promise<Answer> {
  return new Promise((resolve) => hub.handle(session, command, { nowMs: now(), done: resolve }));
}

export function acceptInvitation(
  { accounts, now }: House,
  invite: Invite,
  brought: Brought,
): Promise<Member | AccountRefusal> {
  return new Promise((resolve) => accounts.accept(invite, { ...brought, nowMs: now(), done: resolve }));
}

export function invite(
  { accounts, now }: House,
  by: Session,
  inviting: Inviting,
): Promise<Invitation | AccountRefusal> {
  return new Promise((resolve) => accounts.invite(by, inviting, { nowMs: now(), done: resolve }));
}

export function revoke(
  { accounts, now }: House,
  by: Session,
  name: string,
): Promise<'account' | 'invitation' | AccountRefusal> {
  return new Promise((resolve) => accounts.revoke(by, name, { nowMs: now(), done: resolve }));
}

export function setPassword({ accounts }: House, member: Member, stored: string): Promise<'changed' | AccountRefusal> {
  return new Promise((resolve) => accounts.setPassword(member, stored, resolve));
}

export function newToken({ accounts, now }: House, member: Member, label: string): Promise<NewToken | AccountRefusal> {
  return new Promise((resolve) => accounts.newToken(member, label, { nowMs: now(), done: resolve }));
}

export function removeToken({ accounts }: House, by: Session, id: number): Promise<'removed' | AccountRefusal> {
  return new Promise((resolve) => accounts.removeToken(by, id, resolve));
}
