// Lists that may be longer than one answer: asked for until there is no more.

import { accountList } from '../protocol/native/methods/account.ts';
import { chatList } from '../protocol/native/methods/chat.ts';
import { groupList } from '../protocol/native/methods/group.ts';
import { hostList } from '../protocol/native/methods/host.ts';
import type { Method } from '../protocol/native/method.ts';
import { UnreachableError } from './errors.ts';
import type { Accounts, Group, Host, Present } from './answers.ts';

/** Answers of one list: of half a mebibyte each, all that a server may have and a program hold. */
const MAX_PARTS = 1_000;

interface After {
  readonly after?: string;
}

interface Part {
  readonly next?: string;
}

/** Asks what may be asked twice. */
export type AskList = <Result extends Part>(method: Method<After, Result>, params: After) => Promise<Result>;

/**
 * In order of arrival. What does not fit one answer comes in the order of names, and is put into that of arrival by time:
 * those who came within one millisecond stay in the order of names.
 */
export async function listPresent(ask: AskList): Promise<readonly Present[]> {
  const parts = await partsOf(ask, chatList);
  const members = parts.flatMap((part) => part.members);
  return parts.length === 1
    ? members
    : members.toSorted((one, other) => Date.parse(one.since) - Date.parse(other.since));
}

export async function listHosts(ask: AskList): Promise<readonly Host[]> {
  return (await partsOf(ask, hostList)).flatMap(({ hosts }) => hosts);
}

/** Some of a group's members may come in one answer and the others in the next. */
export async function listGroups(ask: AskList): Promise<readonly Group[]> {
  const all = (await partsOf(ask, groupList)).flatMap(({ groups }) => groups);
  const byName = Map.groupBy(all, ({ name }) => name);
  return Array.from(byName, ([name, parts]) => ({ name, members: parts.flatMap(({ members }) => members) }));
}

export async function listAccounts(ask: AskList): Promise<Accounts> {
  const parts = await partsOf(ask, accountList);
  const accounts = parts.flatMap((part) => part.accounts);
  const [first] = parts;
  if (first?.invitations === undefined) return { accounts };
  return { accounts, invitations: parts.flatMap(({ invitations = [] }) => invitations) };
}

/** Throws an `UnreachableError` rather than give a part of the list for all of it. */
async function partsOf<Result extends Part>(ask: AskList, method: Method<After, Result>): Promise<Result[]> {
  const cannot = (why: string) => new UnreachableError(`Cannot read the whole answer to ${method.name}: ${why}`);
  const first = await ask(method, {});
  const parts = [first];
  for (let after = first.next; after !== undefined;) {
    if (parts.length >= MAX_PARTS) throw cannot(`it has more than ${MAX_PARTS} parts`);
    const part = await ask(method, { after });
    parts.push(part);
    // Keys are compared as the server does it, which would be asked the same for ever.
    if (part.next !== undefined && part.next <= after) throw cannot('the server goes on at what it has given already');
    after = part.next;
  }
  return parts;
}
