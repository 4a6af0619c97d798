// The journal in a SQLite database: a worker that writes, another one that reads, and here what passes between them
// and the core. docs/decisions/0009-journal.md says why.

import { resolve } from 'node:path';
import type {
  Appended,
  Change,
  Everything,
  FeedPage,
  FeedQuery,
  FoundMessage,
  HistoryQuery,
  Journal,
  JournalHealth,
  NewMessage,
  Page,
  Recorded,
  SearchQuery,
  StoredMessage,
} from '../core/journal.ts';
import { Batches } from './batches.ts';
import { Link, type LinkEvents } from './link.ts';
import type { FromReader, FromWriter, Query, Result, ToReader, ToWriter, WorkerSettings } from './wire.ts';

export interface SqliteJournalOptions {
  /** Made where it is missing; its directory is there. */
  readonly path: string;
}

/** Rejects with an Error whose message is the whole story. */
export async function openSqliteJournal(
  options: SqliteJournalOptions,
): Promise<{ journal: Journal; everything: Everything }> {
  const path = resolve(options.path);
  const opening = Promise.withResolvers<Everything>();
  const reading = Promise.withResolvers<void>();
  const journal = new SqliteJournal(path, (message) => {
    if ('opened' in message) opening.resolve(message.opened);
    else opening.reject(new Error(message.cannotOpen));
  });
  let everything: Everything;
  try {
    everything = await opening.promise;
    // Only now is there a database with the schema that the reader wants.
    journal.startReading((message) => {
      if ('opened' in message) reading.resolve();
      else reading.reject(new Error(message.cannotOpen));
    });
    await reading.promise;
  } catch (error) {
    await journal.close();
    throw error;
  }
  return { journal, everything };
}

type Opened<From> = Extract<From, { opened: unknown } | { cannotOpen: string }>;
type Asked = { readonly resolve: (result: Result) => void; readonly reject: (error: Error) => void };

class SqliteJournal implements Journal {
  readonly #path: string;
  readonly #batches = new Batches();
  readonly #writer: Link<ToWriter, FromWriter>;
  #reader: Link<ToReader, FromReader> | undefined;
  #asked: Asked[] = [];
  /** Searches that wait until the newest words can be found. */
  readonly #indexing: (() => void)[] = [];
  #health: JournalHealth = { state: 'ok' };
  /** Why nothing is written, or read, any more. */
  #writerGone: string | undefined;
  #readerGone: string | undefined;
  #isScheduled = false;
  #closing: Promise<void> | undefined;
  #onEmpty: (() => void) | undefined;

  constructor(path: string, onOpened: (message: Opened<FromWriter>) => void) {
    this.#path = path;
    this.#writer = this.#link<ToWriter, FromWriter>('writer', {
      onMessage: (message) => {
        if ('answers' in message) this.#answered(message);
        else if ('indexed' in message) this.#indexed();
        else onOpened(message);
      },
      onGone: (reason) => {
        onOpened({ cannotOpen: `Cannot open the journal ${path}: ${reason}` });
        this.#writerGone = reason;
        this.#batches.fail(reason);
        for (const resolve of this.#indexing.splice(0)) resolve();
        this.#rest();
      },
    });
  }

  startReading(onOpened: (message: Opened<FromReader>) => void): void {
    this.#reader = this.#link<ToReader, FromReader>('reader', {
      onMessage: (message) => {
        if ('opened' in message || 'cannotOpen' in message) onOpened(message);
        else this.#found(message);
      },
      onGone: (reason) => {
        onOpened({ cannotOpen: `Cannot open the journal ${this.#path}: ${reason}` });
        this.#readerGone = reason;
        for (const { reject } of this.#asked.splice(0)) reject(this.#cannotRead(reason));
      },
    });
  }

  #link<To extends ToWriter | ToReader, From extends FromWriter | FromReader>(
    role: WorkerSettings['role'],
    events: LinkEvents<From>,
  ): Link<To, From> {
    const link = new Link<To, From>(
      { role, path: this.#path },
      {
        onMessage: (message) => {
          if ('opened' in message) link.hold(false);
          events.onMessage(message);
        },
        onGone: events.onGone,
      },
    );
    return link;
  }

  get health(): JournalHealth {
    const gone = this.#writerGone ?? this.#readerGone;
    return gone === undefined ? this.#health : { state: 'failing', reason: gone };
  }

  append(message: NewMessage, done: (appended: Appended) => void): void {
    this.#batches.add({ type: 'append', message, done });
    this.#schedule();
  }

  record(changes: readonly Change[], done: (recorded: Recorded) => void): void {
    this.#batches.add({ type: 'record', changes, done });
    this.#schedule();
  }

  settle(done: () => void): void {
    this.#batches.add({ type: 'settle', done });
    this.#schedule();
  }

  /** At the end of the turn: all that it brings goes together. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#send();
    });
  }

  #send(): void {
    const gone = this.#writerGone ?? (this.#isClosed ? 'the journal is closed' : undefined);
    if (gone !== undefined) this.#batches.fail(gone);
    while (this.#batches.isReady) {
      const entries = this.#batches.next();
      if (entries.length === 0) continue;
      this.#writer.hold(true);
      this.#writer.tell({ entries });
    }
    this.#batches.settle();
    this.#rest();
  }

  #answered({ answers, wrote }: Extract<FromWriter, { answers: unknown }>): void {
    if (wrote.state === 'failing') this.#health = wrote;
    else if (wrote.state === 'ok') this.#health = { state: 'ok' };
    for (const each of answers) this.#batches.answer(each);
    this.#send();
  }

  #rest(): void {
    if (!this.#batches.isEmpty || this.#indexing.length > 0) return;
    if (this.#closing === undefined) this.#writer.hold(false);
    this.#onEmpty?.();
  }

  async feed(query: FeedQuery): Promise<FeedPage> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the reader answers in the order of the questions
    return (await this.#ask({ type: 'feed', query })) as FeedPage;
  }

  async history(query: HistoryQuery): Promise<Page<StoredMessage>> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
    return (await this.#ask({ type: 'history', query })) as Page<StoredMessage>;
  }

  async search(query: SearchQuery): Promise<Page<FoundMessage>> {
    await this.#index();
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
    return (await this.#ask({ type: 'search', query })) as Page<FoundMessage>;
  }

  async #index(): Promise<void> {
    if (this.#writerGone !== undefined || this.#closing !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#indexing.push(resolve);
    this.#writer.hold(true);
    this.#writer.tell('index');
    await promise;
  }

  #indexed(): void {
    this.#indexing.shift()?.();
    this.#rest();
  }

  #ask(query: Query): Promise<Result> {
    const reader = this.#reader;
    const gone = this.#closing === undefined ? this.#readerGone : 'the journal is closed';
    if (gone !== undefined || reader === undefined) return Promise.reject(this.#cannotRead(gone ?? 'it is not open'));
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    this.#asked.push({ resolve, reject });
    reader.hold(true);
    reader.tell(query);
    return promise;
  }

  #found(message: Exclude<FromReader, Opened<FromReader>>): void {
    const asked = this.#asked.shift();
    if ('result' in message) asked?.resolve(message.result);
    else asked?.reject(this.#cannotRead(message.failed));
    if (this.#asked.length === 0 && this.#closing === undefined) this.#reader?.hold(false);
  }

  #cannotRead(reason: string): Error {
    return new Error(`Cannot read the journal ${this.#path}: ${reason}`);
  }

  #isClosed = false;

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onEmpty = resolve;
    this.#schedule();
    await promise;
    this.#isClosed = true;
    // The writer last: whoever leaves last puts the -wal into the file and removes it.
    if (this.#reader !== undefined && this.#readerGone === undefined) {
      const closed = this.#reader.closed();
      this.#reader.tell('close');
      await closed;
    }
    if (this.#writerGone === undefined) {
      const closed = this.#writer.closed();
      this.#writer.tell('close');
      await closed;
    }
  }
}
