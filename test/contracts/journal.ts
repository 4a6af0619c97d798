// Members, messages and questions for tests of journals; what every journal promises is in the files beside this one.

import type { TestContext } from 'node:test';
import type {
  Account,
  Appended,
  Change,
  Everything,
  Journal,
  NewMessage,
  Recorded,
  StoredMessage,
} from '../../src/core/journal.ts';
import { parseName } from '../../src/core/name.ts';

export interface Opened {
  readonly journal: Journal;
  readonly everything: Everything;
}

/** Says a promise, and how it is seen to be kept by a journal with nothing in it. */
export type Holds = (promise: string, body: (harness: Harness, t: TestContext) => Promise<void>) => void;

/** A journal with nothing in it; `reopen` closes it and opens what it left. */
export interface Harness extends Opened {
  readonly reopen: () => Promise<Opened>;
}

export const MUCH = { limit: 1_000, maxBytes: 1_000_000 };
export const [BOB, EVE, MAX] = [1, 2, 3];
export const GUEST = -7;

export function aName(text: string) {
  const parsed = parseName(text);
  if ('refused' in parsed) throw new Error(`${text} is no name`);
  return parsed;
}

/** From bob to eve unless it says otherwise. */
export function aMessage(given: Partial<NewMessage> = {}): NewMessage {
  const base = { atMs: 1_000, from: BOB, fromName: aName('Bob').name, cast: 'singlecast', to: ['Eve'] } as const;
  return { ...base, text: 'hi', recipients: [EVE], ...given };
}

export function anAccount(id: number, name: string): Account {
  const rest = { role: 'member', kind: 'person', createdAtMs: 5, since: 0, delivered: 0 } as const;
  return { id, ...aName(name), ...rest, invitedBy: undefined, password: undefined, revokedAtMs: undefined };
}

export function append(journal: Journal, message: NewMessage): Promise<Appended> {
  return new Promise((resolve) => journal.append(message, resolve));
}

export function record(journal: Journal, ...changes: Change[]): Promise<Recorded> {
  return new Promise((resolve) => journal.record(changes, resolve));
}

export function toAll(text: string, from = BOB): NewMessage {
  return aMessage({ from, cast: 'broadcast', to: ['all'], recipients: [], text });
}

export function texts(messages: readonly StoredMessage[]): string[] {
  return messages.map(({ text }) => text);
}
