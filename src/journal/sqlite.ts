// The journal of a server: a log in which messages become durable, a SQLite database that gets them from there and keeps
// everything else, a worker that writes it and another one that reads. docs/decisions/0009-journal.md and 0015-log.md say
// why.

import { resolve } from 'node:path';
import type { Everything, Journal, MessageId } from '../core/journal.ts';
import { beginAnew, type Outcome } from './anew.ts';
import { type Backlog, DAMAGE_HELP, misplaced, readBacklog } from './backlog.ts';
import { wordsFor } from './errors.ts';
import { type Frame, seedOf } from './frame.ts';
import { Keeper } from './keeper.ts';
import { type Doubt, doubtsAbout, harmTo, lacksLog } from './log-files.ts';
import { Log, type LogOptions } from './log.ts';
import { Questions } from './questions.ts';
import { Resends } from './resends.ts';
import { CLOSED, later, type Later, SqliteJournal } from './sqlite-journal.ts';
import type { Found } from './wire.ts';
import { wordsForWitnessed } from './witness.ts';

export interface SqliteJournalOptions {
  /** Made where it is missing; its directory is there. */
  readonly path: string;
  readonly later?: Later;
  /** Resend keys in memory at most. */
  readonly maxRecent?: number;
  /** Messages may be lost; it is gone on without them, as another journal. In sentences. */
  readonly onDoubt?: (words: string) => void;
  readonly now?: () => number;
}

interface Opened {
  readonly journal: Journal;
  readonly everything: Everything;
}

/** Rejects with an Error whose message is the whole story. */
export async function openSqliteJournal(options: SqliteJournalOptions): Promise<Opened> {
  const path = resolve(options.path);
  const wrong = misplaced(path);
  if (wrong !== undefined) throw new Error(inWords(path, wrong));
  const opened = await open({ ...options, path }, { isDoubted: true });
  if ('journal' in opened) return opened;
  const words = goOnAnew(path, opened, options);
  options.onDoubt?.(words);
  const again = await open({ ...options, path }, { isDoubted: false });
  if ('journal' in again) return again;
  throw new Error(inWords(path, 'it was doubted twice'));
}

/** `failed`: why the database does not get what its log holds. */
interface Doubtful {
  readonly doubts: readonly Doubt[];
  readonly failed: string | undefined;
}

/** What is doubted, and what is true then. Where nothing can be written it is opened as it is: what is there can be read. */
function goOnAnew(path: string, { doubts, failed }: Doubtful, { now = Date.now }: SqliteJournalOptions): string {
  const doubt = doubts.map(({ words }) => words).join('. ');
  const upTo = Math.max(...doubts.map((each) => each.upTo));
  const begun =
    failed === undefined ? beginAnew(path, { doubt, upTo, nowMs: now() }) : { is: 'unchanged' as const, failed };
  return `${doubt}. ${wordsForOutcome(begun)}`;
}

function wordsForOutcome(outcome: Outcome): string {
  switch (outcome.is) {
    case 'another':
      return `The journal goes on as another one, with message ${outcome.next}: ids that clients know count no longer`;
    case 'noted':
      return `The journal goes on with message ${outcome.next}, and ids that clients know count until a later start makes it another one, which this one could not: ${outcome.failed}`;
    case 'unchanged':
      return `Their ids may be given again, for it cannot be made another journal: ${outcome.failed}`;
  }
}

/** `isDoubted`: if messages may be lost it is closed again. */
async function open(
  options: SqliteJournalOptions,
  { isDoubted }: { readonly isDoubted: boolean },
): Promise<Opened | Doubtful> {
  const { path } = options;
  const isLogMissing = lacksLog(path);
  const opening = Promise.withResolvers<{ everything: Everything } & Found>();
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
  const closeAll = async () => {
    resends?.close();
    await questions?.close(CLOSED);
    await keeper.close(CLOSED);
    await opened?.then(
      (log) => log.close(),
      () => {},
    );
  };
  try {
    const { everything, identity, witnessed, noted } = await opening.promise;
    // Only now is there a database with the schema that these want.
    resends = new Resends(path, options);
    questions = new Questions(path);
    // Looked at below; if something else fails before, nobody is left to look.
    questions.opened.catch(() => {});
    const left = leftIn(path, { after: everything.head, identity, resends });
    const { head } = left;
    const addAll = () => {
      for (const range of left.ranges) keeper.add(range);
    };
    const seed = seedOf(identity);
    const doubts = isDoubted
      ? [...doubtsAbout(path, { seed, head, isLogMissing, noted }), ...doubtsFrom(witnessed, head)]
      : [];
    if (doubts.length > 0) {
      addAll();
      const failed = await databaseHas(keeper, head);
      await closeAll();
      return { doubts, failed };
    }
    const isFull = resends.isFull;
    if (isFull) {
      // More keys than are kept: the database has them first, as it would have had while that server ran.
      addAll();
      const failed = await databaseHas(keeper, head);
      if (failed !== undefined) throw new Error(failed);
      resends.release(head);
    }
    opened = openLog({ path, identity, head: everything.head, left });
    const [log] = await Promise.all([opened, questions.opened]);
    journal = new SqliteJournal({ keeper, log, questions, resends, head, later: options.later ?? later });
    if (!isFull) addAll();
    return { journal, everything: { ...everything, head } };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** What somebody was told of, and is not there. */
function doubtsFrom(witnessed: MessageId, head: MessageId): Doubt[] {
  const words = wordsForWitnessed(witnessed, head);
  return words === undefined ? [] : [{ words, upTo: witnessed }];
}

/** Or why it does not get them. */
function databaseHas(keeper: Keeper, upTo: MessageId): Promise<string | undefined> {
  return new Promise((done) => keeper.whenIndexed(upTo, done, { isPatient: false }));
}

/** What the database will get in its time. Throws an Error in words. */
function leftIn(path: string, { after, identity, resends }: { after: MessageId; identity: string; resends: Resends }) {
  const onFrame = (frame: Frame) => resends.keepAll(frame);
  let left: Backlog;
  let harm: string | undefined;
  try {
    left = readBacklog(path, { after, seed: seedOf(identity), onFrame });
    harm = harmTo(path);
  } catch (error) {
    throw new Error(inWords(path, `its log: ${wordsFor(error)}`), { cause: error });
  }
  if (left.problem === undefined && harm === undefined) return left;
  const { words, help } = left.problem ?? { words: harm, help: DAMAGE_HELP };
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
