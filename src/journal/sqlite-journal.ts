// A journal that is open: what is written goes to the log or to the keeper, what is asked waits for what it asks for.

import type {
  Appended,
  Change,
  FeedPage,
  FeedQuery,
  FoundMessage,
  HistoryQuery,
  Journal,
  JournalHealth,
  MessageId,
  NewMessage,
  Page,
  Recorded,
  SearchQuery,
  StoredMessage,
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
import { Appends } from './appends.ts';
import { wordsFor } from './errors.ts';
import type { Keeper } from './keeper.ts';
import type { Log } from './log.ts';
import type { Questions } from './questions.ts';
import type { Resends } from './resends.ts';
import type { Query, Result } from './wire.ts';

/**
 * How long a journal that closes gives the database to take what the log holds, and questions to be answered: the rest gets
 * into the database after the next start, and nobody waits for it.
 */
const CLOSING_MS = 1_000;
export const CLOSED = 'the journal is closed';
/** What failed is tried again so much later: a full disk or a lock lasts seconds, and each try may wait one for a lock. */
const RETRY_MS = 1_000;

/** Calls it once, so much later, and keeps no process alive for that; what it returns calls it off. */
export type Later = (action: () => void, delayMs: number) => () => void;

export const later: Later = (action, delayMs) => {
  const timer = setTimeout(action, delayMs).unref();
  return () => clearTimeout(timer);
};

interface Parts {
  readonly keeper: Keeper;
  readonly log: Log;
  readonly questions: Questions;
  readonly resends: Resends;
  readonly head: MessageId;
  readonly later: Later;
}

/** A question that has not been answered. */
interface Read {
  readonly promise: Promise<unknown>;
  readonly reject: (error: Error) => void;
}

export class SqliteJournal implements Journal {
  readonly #keeper: Keeper;
  readonly #log: Log;
  readonly #questions: Questions;
  readonly #resends: Resends;
  readonly #appends: Appends;
  /** The last message that is durable. */
  #head: MessageId;
  #logFailure: string | undefined;
  readonly #later: Later;
  #callOff: (() => void) | undefined;
  readonly #reads = new Set<Read>();
  #isClosed = false;
  #closing: Promise<void> | undefined;
  #onEmpty: (() => void) | undefined;

  constructor({ keeper, log, questions, resends, head, later }: Parts) {
    this.#keeper = keeper;
    this.#log = log;
    this.#questions = questions;
    this.#resends = resends;
    this.#head = head;
    this.#later = later;
    this.#appends = new Appends({
      log,
      resends,
      head,
      gate: () => this.#gate(),
      onWritten: (range, upTo) => {
        this.#logFailure = undefined;
        this.#head = upTo;
        keeper.add(range);
      },
      onFailed: (reason) => {
        this.#logFailure = reason;
        this.tryLater();
      },
      onFull: () => keeper.index(true),
      onEmpty: () => this.#onEmpty?.(),
    });
  }

  get health(): JournalHealth {
    const reason = this.#keeper.failure ?? this.#questions.gone ?? this.#logFailure;
    return reason === undefined ? { state: 'ok' } : { state: 'failing', reason };
  }

  append(message: NewMessage, done: (appended: Appended) => void): void {
    this.#appends.add(message, done);
  }

  settle(done: () => void): void {
    this.#appends.settle(done);
  }

  record(changes: readonly Change[], done: (recorded: Recorded) => void): void {
    this.#keeper.record(changes, done);
  }

  chain(entry: RunEntry, done: (chained: Chained) => void): void {
    this.#keeper.chain(entry, done);
  }

  /** A database that took nothing is tried again before anything more is accepted for it. */
  #gate(): 'open' | 'waiting' | { readonly failed: string } {
    const gone = this.#isClosed ? CLOSED : this.#keeper.gone;
    if (gone !== undefined) return { failed: gone };
    if (this.#keeper.indexFailure === undefined) return 'open';
    this.#keeper.index();
    return 'waiting';
  }

  /** The database has everything up to here, for good. */
  released(upTo: MessageId): void {
    this.#log.release(upTo);
    this.#resends.release(upTo);
    this.goOn();
  }

  /** Something that messages waited for has been tried, or will never be any more. */
  goOn(): void {
    const reason = this.#keeper.gone ?? this.#keeper.indexFailure;
    if (reason === undefined) this.#appends.commit();
    else this.#appends.fail(reason);
    if (this.#appends.isEmpty) this.#onEmpty?.();
  }

  /** Something could not be written: whoever waits for it, or looks at the health, need not ask for another try. */
  tryLater(): void {
    if (this.#isClosed) return;
    this.#callOff ??= this.#later(() => {
      this.#callOff = undefined;
      this.#tryAgain();
    }, RETRY_MS);
  }

  #tryAgain(): void {
    if (this.#keeper.gone !== undefined) return;
    this.#keeper.tryAgain();
    if (this.#logFailure !== undefined && !this.#log.isWriting && this.#log.hasRoom) this.#probeLog();
    // Until it is known to have succeeded.
    if (this.#keeper.failure !== undefined || this.#logFailure !== undefined) this.tryLater();
  }

  #probeLog(): void {
    this.#log.probe((error) => {
      this.#logFailure = error === null ? undefined : wordsFor(error);
      // What came meanwhile has waited for it.
      this.#appends.commit();
      if (this.#appends.isEmpty) this.#onEmpty?.();
    });
  }

  feed(query: FeedQuery): Promise<FeedPage> {
    return this.#read(() => this.#feed(query));
  }

  /**
   * From what the database has of it already: a long backlog holds up nobody who is far behind. What it cannot take now is
   * waited for: whoever was told of a failure would have to come back for it, and a guest cannot.
   */
  async #feed(query: FeedQuery): Promise<FeedPage> {
    const { after, upTo } = query;
    const failed = await this.#whenIndexed(Math.min(after + 1, upTo), { isPatient: true });
    if (failed !== undefined) throw this.#questions.cannotRead(failed);
    const { indexed } = this.#keeper;
    const isCounting = query.isCounting === true && indexed >= upTo;
    const part = { ...query, upTo: Math.min(upTo, indexed), isCounting };
    const page = await this.#questions.ask<FeedPage>({ type: 'feed', query: part });
    const isAnswer = page.messages.length > 0 || page.cursor >= upTo;
    return isAnswer ? page : this.#feed({ ...query, after: page.cursor });
  }

  /** Where the database cannot be written, what it has can still be read. */
  history(query: HistoryQuery): Promise<Page<StoredMessage>> {
    return this.#read(async () => {
      await this.#whenIndexed(this.#head);
      return this.#questions.ask({ type: 'history', query });
    });
  }

  search(query: SearchQuery): Promise<Page<FoundMessage>> {
    return this.#read(async () => {
      await this.#whenIndexed(this.#head);
      await this.#keeper.whenWordsAreIndexed();
      return this.#questions.ask({ type: 'search', query });
    });
  }

  runs(query: RunsQuery): Promise<RunsPage> {
    return this.#readRecords({ type: 'runs', query });
  }

  run(query: RunQuery): Promise<StoredRun | undefined> {
    return this.#readRecords({ type: 'run', query });
  }

  output(query: OutputQuery): Promise<KeptOutput | undefined> {
    return this.#readRecords({ type: 'output', query });
  }

  #readRecords<Answer extends Result>(query: Query): Promise<Answer> {
    return this.#read(async () => {
      await this.#keeper.whenRecorded();
      return this.#questions.ask<Answer>(query);
    });
  }

  async #read<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    if (this.#closing !== undefined) throw this.#questions.cannotRead(CLOSED);
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const read = { promise, reject };
    this.#reads.add(read);
    ask().then(resolve, reject);
    try {
      return await promise;
    } finally {
      this.#reads.delete(read);
    }
  }

  #whenIndexed(upTo: MessageId, options = { isPatient: false }): Promise<string | undefined> {
    return new Promise((resolve) => this.#keeper.whenIndexed(upTo, resolve, options));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
      this.#appends.settle(() => setImmediate(() => this.goOn()));
    });
    this.#isClosed = true;
    this.#callOff?.();
    await this.#finish();
    // The writer last: whoever leaves last puts the -wal into the file and removes it.
    await this.#questions.close(CLOSED);
    this.#resends.close();
    await this.#keeper.close(CLOSED);
    await this.#log.close();
  }

  /** What is left is put into the database, and what was asked is answered, as far as there is time. */
  async #finish(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const timer = setTimeout(resolve, CLOSING_MS);
    const indexed = this.#whenIndexed(this.#head);
    const answered = Array.from(this.#reads, (read) => read.promise);
    void Promise.allSettled([indexed, ...answered]).then(resolve);
    await promise;
    clearTimeout(timer);
    for (const { reject } of this.#reads) reject(this.#questions.cannotRead(CLOSED));
  }
}
