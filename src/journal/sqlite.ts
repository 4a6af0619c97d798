// The journal of a server: a log in which messages become durable, a SQLite database that gets them from there and keeps
// everything else, a worker that writes it and another one that reads. docs/decisions/0009-journal.md and 0015-log.md say
// why.

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
  MessageId,
  NewMessage,
  Page,
  Recorded,
  SearchQuery,
  StoredMessage,
} from '../core/journal.ts';
import { Appends } from './appends.ts';
import { type Backlog, misplaced, readBacklog } from './backlog.ts';
import { wordsFor } from './errors.ts';
import { type Frame, seedOf } from './frame.ts';
import { Keeper } from './keeper.ts';
import { Log, type LogOptions } from './log.ts';
import { Questions } from './questions.ts';
import { Resends } from './resends.ts';

/**
 * How long a journal that closes gives the database to take what the log holds, and questions to be answered: the rest gets
 * into the database after the next start, and nobody waits for it.
 */
const CLOSING_MS = 1_000;
const CLOSED = 'the journal is closed';
/** What failed is tried again so much later: a full disk or a lock lasts seconds, and each try may wait one for a lock. */
const RETRY_MS = 1_000;

/** Calls it once, so much later, and keeps no process alive for that; what it returns calls it off. */
export type Later = (action: () => void, delayMs: number) => () => void;

const later: Later = (action, delayMs) => {
  const timer = setTimeout(action, delayMs).unref();
  return () => clearTimeout(timer);
};

export interface SqliteJournalOptions {
  /** Made where it is missing; its directory is there. */
  readonly path: string;
  readonly later?: Later;
  /** Resend keys in memory at most. */
  readonly maxRecent?: number;
}

/** Rejects with an Error whose message is the whole story. */
export async function openSqliteJournal(
  options: SqliteJournalOptions,
): Promise<{ journal: Journal; everything: Everything }> {
  const path = resolve(options.path);
  const wrong = misplaced(path);
  if (wrong !== undefined) throw new Error(inWords(path, wrong));
  const opening = Promise.withResolvers<{ everything: Everything; identity: string }>();
  // Told of a worker's death long after, there is nobody left to reject.
  let journal: SqliteJournal | undefined;
  const keeper = new Keeper(path, {
    onOpened: (opened) => {
      if ('cannotOpen' in opened) opening.reject(new Error(inWords(path, opened.cannotOpen)));
      else opening.resolve(opened);
    },
    onDurable: (upTo) => journal?.released(upTo),
    onTried: () => journal?.goOn(),
    onFailed: () => journal?.tryLater(),
    onGone: () => journal?.goOn(),
  });
  let resends: Resends | undefined;
  let questions: Questions | undefined;
  let opened: Promise<Log> | undefined;
  try {
    const { everything, identity } = await opening.promise;
    // Only now is there a database with the schema that these want.
    resends = new Resends(path, options);
    questions = new Questions(path);
    // Looked at below; if something else fails before, nobody is left to look.
    questions.opened.catch(() => {});
    const left = leftIn(path, { after: everything.head, identity, resends });
    const { head } = left;
    const isFull = resends.isFull;
    const addAll = () => {
      for (const range of left.ranges) keeper.add(range);
    };
    if (isFull) {
      // More keys than are kept: the database has them first, as it would have had while that server ran.
      addAll();
      await databaseHas(keeper, head);
      resends.release(head);
    }
    opened = openLog({ path, identity, head: everything.head, left });
    const [log] = await Promise.all([opened, questions.opened]);
    journal = new SqliteJournal({ keeper, log, questions, resends, head, later: options.later ?? later });
    if (!isFull) addAll();
    return { journal, everything: { ...everything, head } };
  } catch (error) {
    resends?.close();
    await questions?.close(CLOSED);
    await keeper.close(CLOSED);
    await opened?.then(
      (log) => log.close(),
      () => {},
    );
    throw error;
  }
}

/** Rejects with why it does not get them. */
async function databaseHas(keeper: Keeper, upTo: MessageId): Promise<void> {
  const failed = await new Promise<string | undefined>((resolve) => {
    keeper.whenIndexed(upTo, resolve, { isPatient: false });
  });
  if (failed !== undefined) throw new Error(failed);
}

/** What the database will get in its time. Throws an Error in words. */
function leftIn(path: string, { after, identity, resends }: { after: MessageId; identity: string; resends: Resends }) {
  const onFrame = (frame: Frame) => resends.keepAll(frame);
  let left: Backlog;
  try {
    left = readBacklog(path, { after, seed: seedOf(identity), onFrame });
  } catch (error) {
    throw new Error(inWords(path, `its log: ${wordsFor(error)}`), { cause: error });
  }
  if (left.problem === undefined) return left;
  const { words, help } = left.problem;
  throw new Error(inWords(path, `${words} (${help})`));
}

async function openLog(options: LogOptions): Promise<Log> {
  try {
    return await Log.open(options);
  } catch (error) {
    throw new Error(inWords(options.path, `its log: ${wordsFor(error)}`), { cause: error });
  }
}

/** What the writer says of itself it says in a whole sentence already. */
function inWords(path: string, reason: string): string {
  const attempt = `Cannot open the journal ${path}: `;
  return reason.startsWith(attempt) ? reason : attempt + reason;
}

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

class SqliteJournal implements Journal {
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
