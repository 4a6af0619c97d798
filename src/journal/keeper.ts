// The main thread's side of the writer: what it has been told, what it has put into the database, and who waits for that.

import type { Change, Everything, MemberId, MessageId, Recorded } from '../core/journal.ts';
import type { Chained, RunEntry } from '../core/run/record.ts';
import { Link } from './link.ts';
import type { Found, FromWriter, Range, ToRecord, ToWriter } from './wire.ts';

/** What is durable in the log gets into the database so much later: a conversation is one transaction, not one a line. */
const INDEX_DELAY_MS = 20;

export interface KeeperEvents {
  readonly onOpened: (opened: ({ everything: Everything } & Found) | { cannotOpen: string }) => void;
  /** The database has everything up to here, for good. */
  readonly onDurable: (upTo: MessageId) => void;
  /** What was last tried has failed, or what failed has been tried again. */
  readonly onTried: () => void;
  /** Something could not be written: `tryAgain` tries it, sooner or later. */
  readonly onFailed: () => void;
  readonly onGone: (reason: string) => void;
}

interface Waiter {
  readonly upTo: MessageId;
  /** A try that failed is no answer. */
  readonly isPatient: boolean;
  readonly done: (failed: string | undefined) => void;
}

interface Recording {
  readonly entry: ToRecord;
  readonly done: (answer: Recorded | Chained) => void;
}

export class Keeper {
  readonly #writer: Link<ToWriter, FromWriter>;
  readonly #events: KeeperEvents;
  #ranges: Range[] = [];
  /** The writer is at it, and says when it is done. */
  #isIndexing = false;
  #isHurrying = false;
  #indexed: MessageId = 0;
  #timer: NodeJS.Timeout | undefined;
  #waiters: Waiter[] = [];
  #recording: Recording[] = [];
  #recorded: (readonly Recording[])[] = [];
  readonly #words: (() => void)[] = [];
  #indexFailure: string | undefined;
  #recordFailure: string | undefined;
  /** One that there is: what stands in for changes that could not be recorded. */
  #account: MemberId | undefined;
  #gone: string | undefined;

  constructor(path: string, events: KeeperEvents) {
    this.#events = events;
    this.#writer = new Link<ToWriter, FromWriter>(
      { role: 'writer', path },
      { onMessage: (message) => this.#receive(message), onGone: (reason) => this.#leave(reason) },
    );
  }

  /** The last message that the database has. */
  get indexed(): MessageId {
    return this.#indexed;
  }

  /** Why nothing is written any more. */
  get gone(): string | undefined {
    return this.#gone;
  }

  /** Why the database does not take messages now: what is in the log is safe there. */
  get indexFailure(): string | undefined {
    return this.#indexFailure;
  }

  get failure(): string | undefined {
    return this.#gone ?? this.#indexFailure ?? this.#recordFailure;
  }

  #receive(message: FromWriter): void {
    if ('opened' in message) {
      this.#indexed = message.opened.head;
      this.#account = message.opened.accounts[0]?.id;
      const { opened, ...found } = message;
      this.#events.onOpened({ everything: opened, ...found });
    } else if ('cannotOpen' in message) this.#events.onOpened(message);
    else if ('recorded' in message) this.#receiveRecorded(message);
    else if ('words' in message) this.#words.shift()?.();
    else if ('indexed' in message) this.#receiveIndexed(message);
    else this.#receiveFailed(message.indexFailed);
    this.#rest();
  }

  // ── messages ──

  /** These are durable in the log; some time they will be in the database. */
  add(range: Range): void {
    const last = this.#ranges.at(-1);
    if (last !== undefined && last.segment === range.segment && last.to === range.from) {
      this.#ranges[this.#ranges.length - 1] = { ...last, to: range.to };
    } else this.#ranges.push(range);
    this.#timer ??= setTimeout(() => this.index(), INDEX_DELAY_MS).unref();
  }

  /** The writer is given what there is. `isUrgent`: somebody waits for it. */
  index(isUrgent = this.#waiters.length > 0): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const isAtIt = this.#isIndexing && this.#ranges.length === 0 && (this.#isHurrying || !isUrgent);
    if (isAtIt || this.#gone !== undefined) return;
    this.#isIndexing = true;
    this.#isHurrying ||= isUrgent;
    this.#writer.tell({ index: this.#ranges.splice(0), isUrgent });
    this.#rest();
  }

  /**
   * `done` when the database has everything up to here, or why it does not get it: at the first try that fails, or
   * whoever is patient only where no writer is left to try.
   */
  whenIndexed(upTo: MessageId, done: (failed: string | undefined) => void, { isPatient = false } = {}): void {
    if (upTo <= this.#indexed) return done(undefined);
    if (this.#gone !== undefined) return done(this.#gone);
    this.#waiters.push({ upTo, isPatient, done });
    this.index();
    this.#rest();
  }

  #receiveIndexed({ indexed, durable, isDone }: Extract<FromWriter, { indexed: number }>): void {
    this.#indexed = indexed;
    this.#indexFailure = undefined;
    this.#isIndexing = !isDone;
    if (isDone) this.#isHurrying = false;
    this.#events.onDurable(durable);
    const waiters = this.#waiters;
    this.#waiters = waiters.filter(({ upTo }) => upTo > indexed);
    for (const { upTo, done } of waiters) if (upTo <= indexed) done(undefined);
    if (isDone) this.#events.onTried();
    if (isDone && this.#waiters.length > 0) this.index();
  }

  #receiveFailed(reason: string): void {
    this.#indexFailure = reason;
    this.#isIndexing = false;
    this.#isHurrying = false;
    const failed = this.#waiters.filter(({ isPatient }) => !isPatient);
    this.#waiters = this.#waiters.filter(({ isPatient }) => isPatient);
    for (const { done } of failed) done(reason);
    this.#events.onTried();
    this.#events.onFailed();
  }

  /** What failed, with nobody asking for it. */
  tryAgain(): void {
    if (this.#indexFailure !== undefined) this.index();
    const isRecording = this.#recording.length + this.#recorded.length > 0;
    if (this.#recordFailure === undefined || this.#account === undefined || isRecording) return;
    // Writes a row as it is: a transaction that changes nothing would say nothing of the disk.
    this.record([{ type: 'delivered', account: this.#account, upTo: 0 }], () => {});
  }

  // ── changes and records ──

  record(changes: readonly Change[], done: (recorded: Recorded) => void): void {
    this.#record(changes, (answer) => done(answer !== undefined && 'failed' in answer ? answer : undefined));
  }

  chain(entry: RunEntry, done: (chained: Chained) => void): void {
    this.#record(entry, (answer) => done(answer ?? { failed: 'it was not chained' }));
  }

  /** When all that was asked for before has been written, or could not be. */
  whenRecorded(): Promise<void> {
    return this.#recording.length + this.#recorded.length === 0
      ? Promise.resolve()
      : new Promise((resolve) => this.#record([], () => resolve()));
  }

  #record(entry: ToRecord, done: Recording['done']): void {
    this.#recording.push({ entry, done });
    if (this.#recording.length > 1) return;
    setImmediate(() => this.#tellRecording());
  }

  #tellRecording(): void {
    const recording = this.#recording.splice(0);
    if (this.#gone !== undefined) return failAll(recording, this.#gone);
    if (recording.length === 0) return;
    this.#recorded.push(recording);
    this.#writer.tell({ record: recording.map(({ entry }) => entry) });
    this.#rest();
  }

  #receiveRecorded({ recorded, wrote }: Extract<FromWriter, { recorded: unknown }>): void {
    if (wrote.state !== 'unchanged') this.#recordFailure = wrote.state === 'failing' ? wrote.reason : undefined;
    for (const [at, { entry, done }] of (this.#recorded.shift() ?? []).entries()) {
      const [added] = recorded[at] === undefined && !('type' in entry) ? entry : [];
      if (added?.type === 'account-added') this.#account ??= added.account.id;
      done(recorded[at]);
    }
    if (wrote.state === 'failing') this.#events.onFailed();
  }

  // ── words ──

  /** When everything in the database can be found by its words, or there is no writer any more. */
  whenWordsAreIndexed(): Promise<void> {
    if (this.#gone !== undefined) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#words.push(resolve);
    this.#writer.tell('words');
    this.#rest();
    return promise;
  }

  // ── the end ──

  /** A process waits for the writer while that is at it, and not for another try of what failed. */
  #rest(): void {
    const isAsked = this.#isIndexing || this.#recorded.length + this.#words.length > 0;
    if (this.#gone === undefined) this.#writer.hold(isAsked);
  }

  #leave(reason: string): void {
    this.#gone = reason;
    this.#events.onOpened({ cannotOpen: reason });
    for (const recording of [...this.#recorded.splice(0), this.#recording.splice(0)]) failAll(recording, reason);
    for (const done of this.#words.splice(0)) done();
    for (const { done } of this.#waiters.splice(0)) done(reason);
    this.#events.onGone(reason);
  }

  /** What was asked for is answered first; afterwards every question is answered with `reason`. */
  async close(reason: string): Promise<void> {
    clearTimeout(this.#timer);
    this.#tellRecording();
    if (this.#gone !== undefined) return;
    const closed = this.#writer.closed();
    this.#writer.tell('close');
    await closed;
    this.#leave(reason);
  }
}

function failAll(recording: readonly Recording[], reason: string): void {
  for (const { done } of recording) done({ failed: reason });
}
