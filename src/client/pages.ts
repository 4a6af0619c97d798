// Lists that may be longer than one answer: asked for until there is no more.

import { accountList } from '../protocol/native/methods/account.ts';
import { chatList } from '../protocol/native/methods/chat.ts';
import { groupList } from '../protocol/native/methods/group.ts';
import { hostList } from '../protocol/native/methods/host.ts';
import type { Method } from '../protocol/native/method.ts';
import type { Accounts, Group, Host, Present } from './answers.ts';

interface After {
  readonly after?: string;
}

interface Part {
  readonly next?: string;
}

/** Asks what may be asked twice. */
export type AskList = <Result extends Part>(method: Method<After, Result>, params: After) => Promise<Result>;

/** In order of arrival: what does not fit one answer comes in the order of names. */
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

async function partsOf<Result extends Part>(ask: AskList, method: Method<After, Result>): Promise<Result[]> {
  const parts = [await ask(method, {})];
  for (let after = parts[0]?.next; after !== undefined;) {
    const part = await ask(method, { after });
    parts.push(part);
    // A server that does not go on would be asked for ever.
    after = part.next === undefined || part.next > after ? part.next : undefined;
  }
  return parts;
}
