// A hub of a test's own, on a journal in memory: who comes in, what each ear heard, and every answer.

import assert from 'node:assert/strict';
import { Accounts } from '../../src/core/accounts.ts';
import type { Command } from '../../src/core/command.ts';
import type { Presence, Said } from '../../src/core/event.ts';
import { Hub, type Answer, type HubOptions } from '../../src/core/hub.ts';
import type { EnterRefusal } from '../../src/core/refusal.ts';
import type { Dismissal, Listener, Member, Outlet, Session } from '../../src/core/session.ts';
import { MemoryJournal } from '../../src/journal/memory.ts';

export const NOW = 1_608_235_613_000;

/** Hears, and may be told to take no more, or to count as heard only what it confirms. */
export class Ear implements Listener {
  readonly texts: string[] = [];
  readonly ids: number[] = [];
  readonly receipts: string[] = [];
  readonly counts: number[] = [];
  readonly acknowledges: boolean;
  dismissed: Dismissal | undefined;
  isFull = false;
  session: Session | undefined;

  constructor({ acknowledges = false }: { acknowledges?: boolean } = {}) {
    this.acknowledges = acknowledges;
  }

  deliver(said: Said): void {
    this.texts.push(worded(said));
    this.ids.push(said.id);
  }

  catchUp(messages: readonly Said[]): void {
    for (const said of messages) this.deliver(said);
  }

  behind(count: number): void {
    this.counts.push(count);
  }

  receipt(id: number, name: string, outcome: string): void {
    this.receipts.push(`${id} ${name}=${outcome}`);
  }

  dismiss(why: Dismissal): void {
    this.dismissed = why;
  }
}

/** Says what was said as a test compares it. */
export function worded({ fromName, cast, text }: Said): string {
  return `${fromName} (${cast}) ${text}`;
}

export interface HubWorld {
  readonly hub: Hub;
  readonly accounts: Accounts;
  readonly journal: MemoryJournal;
  readonly presence: string[];
  readonly time: { nowMs: number };
  /** A guest, who must be let in. */
  readonly come: (name: string, ear?: Ear) => { session: Session; ear: Ear; texts: string[] };
  /** A member with an account. */
  readonly comeAs: (
    member: Member,
    options?: { ear?: Ear; after?: number },
  ) => { session: Session; ear: Ear; texts: string[] };
  readonly refusalOf: (name: string, isLoopback?: boolean) => EnterRefusal['refused'] | undefined;
  readonly ask: (session: Session, command: Command) => Promise<Answer>;
  readonly send: (session: Session, to: 'all' | readonly string[], text: string, key?: string) => Promise<Answer>;
  /** An account of that name, invited by the owner. */
  readonly account: (name: string, role?: 'member' | 'operator') => Promise<Member>;
  /** One that the owner has invited, and that has joined. */
  readonly machine: (name: string) => Promise<Member>;
  readonly owner: () => Session;
}

export async function aHub(
  options: Partial<HubOptions> = {},
  journal: MemoryJournal = new MemoryJournal(),
): Promise<HubWorld> {
  const presence: string[] = [];
  const time = { nowMs: 0 };
  const ears = new Set<Ear>();
  const outlet: Outlet = {
    broadcast(said, except) {
      for (const ear of ears) {
        if (ear.session?.isLive === true && !except.includes(ear.session)) ear.deliver(said);
      }
    },
  };
  const hub = new Hub({
    serverName: 'Server',
    ownerName: 'owner',
    journal,
    everything: journal.everything,
    clock: () => time.nowMs,
    onPresence: ({ type, name }: Presence) => presence.push(`${name} ${type}`),
    ...options,
  });
  let codes = 0;
  const secrets = {
    newCode: () => `code-${++codes}`,
    newToken: () => `token-${++codes}`,
    hash: (text: string) => `#${text}`,
  };
  const accounts = new Accounts({ journal, hub, secrets });
  const ownMember = await asked<Member>((done) =>
    accounts.ensureOwner(options.ownerName ?? 'owner', { nowMs: NOW, done }),
  );
  const entrance = (ear: Ear, isLoopback = true) =>
    ({ listener: ear, outlet, isLoopback, family: 'ipv4', atMs: NOW }) as const;
  const seat = (ear: Ear, session: Session) => {
    ear.session = session;
    ears.add(ear);
    hub.hearing.begin(session);
    return { session, ear, texts: ear.texts };
  };
  const accepted = async (wanted: Parameters<Accounts['invite']>[1], key?: string): Promise<Member> => {
    const by = world.owner();
    const { code } = await asked<{ code: string }>((done) => accounts.invite(by, wanted, { nowMs: NOW, done }));
    const bearer = accounts.bearerOf(code, NOW);
    if (bearer?.kind !== 'invited') throw new Error(`${wanted.name} was not invited`);
    const accepting = key === undefined ? {} : { key };
    return await asked<Member>((done) => accounts.accept(bearer.invite, { ...accepting, nowMs: NOW, done }));
  };
  const world: HubWorld = {
    hub,
    accounts,
    journal,
    presence,
    time,
    come: (name, ear = new Ear()) => {
      const session = hub.enter(name, entrance(ear));
      if ('refused' in session) throw new Error(`${name} was refused: ${session.refused}`);
      return seat(ear, session);
    },
    comeAs: (member, { ear = new Ear(), after } = {}) => {
      const door = entrance(ear);
      return seat(ear, hub.enterAs(member, after === undefined ? door : { ...door, after }));
    },
    refusalOf: (name, isLoopback = true) => {
      const session = hub.enter(name, entrance(new Ear(), isLoopback));
      return 'refused' in session ? session.refused : undefined;
    },
    ask: (session, command) => new Promise((done) => hub.handle(session, command, { nowMs: NOW, done })),
    send: (session, to, text, key) =>
      world.ask(session, { type: 'send', to, text, ...(key === undefined ? {} : { key }) }),
    account: (name, role = 'member') => accepted({ name, role }),
    machine: (name) => accepted({ name, kind: 'host' }, `key of ${name}`),
    owner: () => hub.visit(ownMember, entrance(new Ear())),
  };
  return world;
}

/** The answer of a verb that must not be refused. */
export async function asked<Value>(
  verb: (done: (answer: Value | { refused: string }) => void) => void,
): Promise<Value> {
  const answer = await new Promise<Value | { refused: string }>((resolve) => verb(resolve));
  if (typeof answer === 'object' && answer !== null && 'refused' in answer) {
    throw new Error(`Refused: ${JSON.stringify(answer)}`);
  }
  return answer;
}

/** Why a verb was refused; undefined if it was not. */
export async function refusedBy(verb: (done: (answer: unknown) => void) => void): Promise<string | undefined> {
  const answer = await new Promise<unknown>((resolve) => verb(resolve));
  return typeof answer === 'object' && answer !== null && 'refused' in answer ? String(answer.refused) : undefined;
}

// ── answers ──

export function refusalOf(answer: Answer): string | undefined {
  return 'refused' in answer ? answer.refused : undefined;
}

/** Only whoever wants receipts, or acknowledges, is told outcomes. */
export function wanting(session: Session): Session {
  session.wantsReceipts = true;
  return session;
}

export function outcomesOf(answer: Answer): Record<string, string> {
  assert.ok('outcomes' in answer, JSON.stringify(answer));
  return Object.fromEntries(answer.outcomes);
}

export function idOf(answer: Answer): number {
  assert.ok('outcomes' in answer, JSON.stringify(answer));
  return answer.id;
}

/** Everything that was under way in the journal, reading too, is done. */
export async function settled({ journal }: HubWorld): Promise<void> {
  const far = { member: 1, since: 0, after: 0, upTo: 0, limit: 1, maxBytes: 1 };
  for (let n = 0; n < 4; n++) await journal.feed(far);
  await new Promise<void>((resolve) => journal.settle(resolve));
}
