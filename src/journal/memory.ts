// The journal in memory, for tests of the core: it keeps the promises of the port, and fails when it is told to.

import {
  type Appended,
  type Change,
  type Everything,
  type FeedPage,
  type FeedQuery,
  type FoundMessage,
  type HistoryQuery,
  type Journal,
  type JournalHealth,
  type NewMessage,
  type Page,
  type Recorded,
  RESEND_KEEP_MS,
  type SearchQuery,
  type StoredMessage,
} from '../core/journal.ts';
import type {
  Chained,
  KeptOutput,
  OutputQuery,
  RunEntry,
  RunQuery,
  RunsPage,
  RunsQuery,
  StoredRun,
} from '../core/run/record.ts';
import { ALL, isDirect, isGroup, keyOf } from './keys.ts';
import { MemoryRuns } from './memory-runs.ts';
import { snippetOf } from './memory-words.ts';
import { changed, NOBODY, type Who } from './memory-who.ts';
import { take } from './page.ts';

interface Kept {
  readonly message: StoredMessage;
  readonly recipients: ReadonlySet<number>;
}

let made = 0;

export class MemoryJournal implements Journal {
  readonly everything: Everything;
  readonly #kept: Kept[];
  readonly #resends: Map<string, StoredMessage>;
  readonly #runs: MemoryRuns;
  #who: Who;
  #waiting: (() => void)[] = [];
  #failure: string | undefined;
  #health: JournalHealth = { state: 'ok' };
  #isClosed = false;

  /** `after`: one that was closed, and whose journal this server finds; `isRestored`: in a copy that took its place. */
  constructor({ after, isRestored = false }: { after?: MemoryJournal; isRestored?: boolean } = {}) {
    this.#kept = after === undefined ? [] : [...after.#kept];
    this.#resends = new Map(after === undefined ? [] : after.#resends);
    this.#runs = new MemoryRuns(after === undefined ? undefined : after.#runs);
    this.#who = after === undefined ? NOBODY : after.#who;
    const { accounts, tokens, invites, groups, machines, condemned } = this.#who;
    this.everything = {
      start: (after?.everything.start ?? 0) + 1,
      journalId: after === undefined || isRestored ? `memory ${++made}` : after.everything.journalId,
      head: this.#kept.length,
      accounts: [...accounts.values()].sort((a, b) => a.id - b.id),
      tokens: [...tokens.values()].sort((a, b) => a.id - b.id),
      invites: [...invites.values()],
      groups: [...groups.values()],
      runs: this.#runs.found(condemned),
      machines: [...machines.values()].sort((a, b) => a.account - b.account),
    };
  }

  /** From now on nothing can be written. */
  failWith(reason: string): void {
    this.#failure = reason;
  }

  recover(): void {
    this.#failure = undefined;
  }

  get health(): JournalHealth {
    return this.#health;
  }

  append(message: NewMessage, done: (appended: Appended) => void): void {
    this.#later(() => {
      const reason = this.#whyNot();
      const appended: Appended = reason === undefined ? this.#append(message) : { result: 'failed', reason };
      if (appended.result === 'new') this.#health = { state: 'ok' };
      done(appended);
    });
  }

  record(changes: readonly Change[], done: (recorded: Recorded) => void): void {
    this.#later(() => {
      const reason = this.#whyNot();
      const who = reason ?? changed(this.#who, changes);
      if (typeof who === 'string') return done({ failed: who });
      this.#who = who;
      this.#health = { state: 'ok' };
      done(undefined);
    });
  }

  chain(entry: RunEntry, done: (chained: Chained) => void): void {
    this.#later(() => {
      const reason = this.#whyNot();
      const chained = reason === undefined ? this.#runs.add(entry) : { failed: reason };
      if ('hash' in chained) this.#health = { state: 'ok' };
      done(chained);
    });
  }

  settle(done: () => void): void {
    this.#later(done);
  }

  /** All of a turn together, after it. */
  #later(answer: () => void): void {
    this.#waiting.push(answer);
    if (this.#waiting.length > 1) return;
    setImmediate(() => {
      for (const answer of this.#waiting.splice(0)) answer();
    });
  }

  #whyNot(): string | undefined {
    if (this.#isClosed) return 'the journal is closed';
    if (this.#failure !== undefined) this.#health = { state: 'failing', reason: this.#failure };
    return this.#failure;
  }

  #append({ recipients, resendKey, ...message }: NewMessage): Appended {
    // A group may have nobody in it but the sender.
    if (
      message.cast === 'singlecast' ? recipients.length !== 1 : message.cast === 'broadcast' && recipients.length > 0
    ) {
      return { result: 'failed', reason: `a ${message.cast} cannot have ${recipients.length} recipients` };
    }
    const key = resendKey === undefined ? undefined : JSON.stringify([message.from, resendKey]);
    const first = key === undefined ? undefined : this.#resends.get(key);
    if (first !== undefined && message.atMs - first.atMs < RESEND_KEEP_MS) {
      const { id, atMs } = first;
      return isSame(first, message) ? { result: 'same', id, atMs } : { result: 'other', id };
    }
    const { atMs, from, fromName, cast, to, text } = message;
    const id = this.#kept.length + 1;
    const stored = { id, atMs, from, fromName, cast, to: [...to], text };
    this.#kept.push({ message: stored, recipients: new Set(recipients) });
    if (key !== undefined) this.#resends.set(key, stored);
    return { result: 'new', id };
  }

  async feed({ member, since, after, upTo, limit, maxBytes, isCounting }: FeedQuery): Promise<FeedPage> {
    await this.#readable();
    const isFed = ({ message, recipients }: Kept) =>
      recipients.has(member) || (message.cast === 'broadcast' && message.id > since && message.from !== member);
    const feed = this.#kept.filter((kept) => kept.message.id > after && kept.message.id <= upTo && isFed(kept));
    const { taken, isMore } = take(messagesOf(feed), { limit, maxBytes });
    const cursor = isMore ? (taken.at(-1)?.id ?? after) : Math.max(after, upTo);
    return { messages: taken, cursor, ...(isCounting && { behind: feed.length }) };
  }

  async history(query: HistoryQuery): Promise<Page<StoredMessage>> {
    await this.#readable();
    const { member, after, before = Infinity, limit, maxBytes } = query;
    const visible = this.#visible(query).filter((kept) => isWith(kept, member, query.with));
    const part = messagesOf(visible).filter(({ id }) => id > (after ?? 0) && id < before);
    const { taken, isMore } = take(after === undefined ? part.toReversed() : part, { limit, maxBytes });
    return { messages: after === undefined ? taken.toReversed() : taken, isMore };
  }

  async search(query: SearchQuery): Promise<Page<FoundMessage>> {
    await this.#readable();
    const { words, before = Infinity, limit } = query;
    const found: FoundMessage[] = [];
    for (const message of messagesOf(this.#visible(query))) {
      const snippet = message.id < before ? snippetOf(message.text, words) : undefined;
      if (snippet !== undefined) found.push({ ...message, snippet });
    }
    const messages = limit > 0 ? found.slice(-limit) : [];
    return { messages, isMore: found.length > messages.length };
  }

  async runs(query: RunsQuery): Promise<RunsPage> {
    await this.#readable();
    await new Promise<void>((resolve) => this.settle(resolve));
    return this.#runs.runs(query);
  }

  async run(query: RunQuery): Promise<StoredRun | undefined> {
    await this.#readable();
    await new Promise<void>((resolve) => this.settle(resolve));
    return this.#runs.run(query);
  }

  async output(query: OutputQuery): Promise<KeptOutput | undefined> {
    await this.#readable();
    return this.#runs.output(query);
  }

  #visible({ member, since }: { member: number; since: number }): Kept[] {
    return this.#kept.filter(({ message, recipients }) =>
      message.cast === 'broadcast' ? message.id > since : recipients.has(member) || message.from === member,
    );
  }

  async #readable(): Promise<void> {
    if (this.#isClosed) throw new Error('the journal cannot be read: it is closed');
    await Promise.resolve();
  }

  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.settle(resolve);
    await promise;
    this.#isClosed = true;
  }
}

function messagesOf(kept: readonly Kept[]): StoredMessage[] {
  return kept.map(({ message }) => message);
}

function isSame(one: StoredMessage, other: Omit<StoredMessage, 'id'>): boolean {
  return one.cast === other.cast && one.text === other.text && JSON.stringify(one.to) === JSON.stringify(other.to);
}

function isWith({ message, recipients }: Kept, member: number, name: string | undefined): boolean {
  if (name === undefined) return true;
  if (name.toLowerCase() === ALL) return message.cast === 'broadcast';
  if (message.cast === 'broadcast') return false;
  const key = keyOf(name);
  const isAddressed = message.to.some((addressed) => keyOf(addressed) === key);
  if (isGroup(name)) return isAddressed;
  const isHeard = recipients.has(member) && isDirect(message) && keyOf(message.fromName) === key;
  return isHeard || (message.from === member && isAddressed);
}
