// Who gets a message: one, several, a group or everyone. All of them or none.

import type { Cast } from '../event.ts';
import type { MemberId } from '../journal.ts';
import { parseName, type NameKey } from '../name.ts';
import type { SendRefusal } from '../refusal.ts';
import type { Member, Session } from '../session.ts';
import { parseGroupName } from './group.ts';

export const ALL = 'all';
/** Bytes of UTF-8; a line of the line protocol has no more. */
export const MAX_TEXT_BYTES = 65_536;
/** UTF-16 units of a resend key: a UUID, a hash or a counter fits. */
export const MAX_KEY_CHARACTERS = 64;

export interface Addressees {
  /** Present or with an account. */
  member(key: NameKey): Member | undefined;
  group(key: string): { readonly name: string; readonly members: Iterable<Member> } | undefined;
}

export interface Recipients {
  readonly members: readonly Member[];
  readonly ids: readonly MemberId[];
  /** As addressed: names in the spelling that is shown, groups with their `#`. */
  readonly to: readonly string[];
  readonly cast: Cast;
}

export const EVERYONE: Recipients = { members: [], ids: [], to: [ALL], cast: 'broadcast' };

/** Names to members, duplicates merged; the cast is counted afterwards. One unknown name refuses the whole. */
export function recipientsOf(names: readonly string[], { sender, among }: Addressing): Recipients | SendRefusal {
  const [only] = names;
  if (names.length === 1 && only !== undefined && !only.startsWith('#')) return recipientOf(only, { sender, among });
  const members = new Set<Member>();
  const to = new Set<string>();
  const unknown: string[] = [];
  const machines: string[] = [];
  let hasGroup = false;
  for (const given of names) {
    if (given.startsWith('#')) {
      const parsed = parseGroupName(given);
      const group = 'refused' in parsed ? undefined : among.group(parsed.key);
      if (group === undefined) {
        unknown.push(given);
        continue;
      }
      hasGroup = true;
      to.add(group.name);
      for (const member of group.members) {
        // What one says to one's own group comes back to nobody, and a machine in it reads nothing.
        if (member !== sender.member && !isMachine(member)) members.add(member);
      }
      continue;
    }
    const parsed = parseName(given);
    const member = 'refused' in parsed ? undefined : among.member(parsed.key);
    if (member !== undefined) {
      if (isMachine(member)) machines.push(member.name);
      members.add(member);
      to.add(member.name);
    } else if (given.toLowerCase() === ALL) return { refused: 'all-among-names' };
    else unknown.push(given);
  }
  if (unknown.length > 0) return { refused: 'unknown-recipient', names: unknown };
  if (machines.length > 0) return { refused: 'machine-recipient', names: machines };
  const cast = members.size === 1 && !hasGroup ? 'singlecast' : 'multicast';
  return { members: [...members], ids: Array.from(members, ({ id }) => id), to: [...to], cast };
}

/** What most messages are to; and mostly to the same as the one before, whose name need not be read again. */
function recipientOf(given: string, { sender, among }: Addressing): Recipients | SendRefusal {
  const last = sender.lastSent;
  if (last !== undefined && isStill(last, { given, among })) return last;
  const parsed = parseName(given);
  const member = 'refused' in parsed ? undefined : among.member(parsed.key);
  if (member !== undefined) {
    if (isMachine(member)) return { refused: 'machine-recipient', names: [member.name] };
    sender.lastSent = { members: [member], ids: [member.id], to: [member.name], cast: 'singlecast' };
    return sender.lastSent;
  }
  if (given.toLowerCase() === ALL) return { refused: 'all-among-names' };
  return { refused: 'unknown-recipient', names: [given] };
}

/** It runs commands, and nobody reads there what is said to it. */
export function isMachine({ account }: Member): boolean {
  return account?.kind === 'host';
}

/** Whether the name led to this one before, and does now. */
function isStill({ members, to }: Recipients, { given, among }: { given: string; among: Addressees }): boolean {
  const [member] = members;
  return to[0] === given && member !== undefined && among.member(member.key) === member;
}

interface Addressing {
  readonly sender: Session;
  readonly among: Addressees;
}

/** What can be said against a text or a key, whoever it is for. */
export function refusalOfMessage(text: string, key: string | undefined): SendRefusal | undefined {
  if (text === '') return { refused: 'empty-message' };
  const bytes = bytesOf(text);
  if (bytes > MAX_TEXT_BYTES) return { refused: 'text-too-long', bytes, maxBytes: MAX_TEXT_BYTES };
  if (key !== undefined && (key.length > MAX_KEY_CHARACTERS || !/^[\x21-\x7e]+$/.test(key))) {
    return { refused: 'bad-key', maxCharacters: MAX_KEY_CHARACTERS };
  }
  return undefined;
}

/** One UTF-16 unit takes at most three bytes of UTF-8 (RFC 3629 section 3), so a short text needs no counting. */
function bytesOf(text: string): number {
  if (text.length * 3 <= MAX_TEXT_BYTES) return text.length;
  let bytes = 0;
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x1_0000 ? 3 : 4;
  }
  return bytes;
}
