// The one that answers questions, in a worker and with a connection of its own: a long search holds up other questions
// and nothing else. It may be ahead of what the core has heard; a feed says up to where it wants to know.

import { randomBytes } from 'node:crypto';
import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { Cast } from '../core/event.ts';
import type {
  FeedPage,
  FeedQuery,
  FoundMessage,
  HistoryQuery,
  Page,
  SearchQuery,
  StoredMessage,
} from '../core/journal.ts';
import type { Name } from '../core/name.ts';
import { openForReading } from './database.ts';
import { ALL, isGroup, keyOf } from './keys.ts';
import { take } from './page.ts';
import { BEHIND, FEED, historyOf, type With, WITHS } from './query.ts';
import { RunReader } from './run-reader.ts';
import { Search } from './search.ts';
import { FOUND_OPEN, FOUND_SHUT, matchOf, withoutMarks } from './words.ts';

type Row = Record<string, SQLOutputValue>;

export class Reader {
  readonly runs: RunReader;
  readonly #database: DatabaseSync;
  readonly #message: StatementSync;
  readonly #feed: StatementSync;
  readonly #behind: StatementSync;
  readonly #search: Search;
  readonly #heardAbove: StatementSync;
  readonly #forward: ReadonlyMap<With, StatementSync>;
  readonly #backward: ReadonlyMap<With, StatementSync>;
  /** Whoever writes a message cannot know them, so a text cannot seem to have been found elsewhere. */
  readonly #marks = { open: randomBytes(9).toString('base64'), shut: randomBytes(9).toString('base64') };

  /** Throws an Error in words. */
  constructor(path: string, now: () => number = () => performance.now()) {
    const database = openForReading(path);
    const prepare = (sql: string) => database.prepare(sql, { allowUnknownNamedParameters: true });
    this.#database = database;
    this.runs = new RunReader(database);
    this.#message = database.prepare('SELECT * FROM message WHERE id = ?');
    this.#feed = prepare(FEED);
    this.#behind = prepare(BEHIND);
    this.#search = new Search(database, now);
    this.#heardAbove = database.prepare('SELECT heard_above FROM meta');
    this.#forward = new Map(WITHS.map((which) => [which, prepare(historyOf(which, 'ASC'))]));
    this.#backward = new Map(WITHS.map((which) => [which, prepare(historyOf(which, 'DESC'))]));
  }

  feed({ member: me, since, after, upTo, limit, maxBytes, isCounting }: FeedQuery): FeedPage {
    const { taken, isMore } = take(this.#messages(this.#feed, { me, since, after, upTo }), { limit, maxBytes });
    const cursor = isMore ? (taken.at(-1)?.id ?? after) : Math.max(after, upTo);
    if (!isCounting) return { messages: taken, cursor };
    const behind = Number(this.#behind.get({ me, since, after, upTo })?.['behind'] ?? 0);
    return { messages: taken, cursor, behind };
  }

  history(query: HistoryQuery): Page<StoredMessage> {
    const { member: me, since, after, before, limit, maxBytes } = query;
    const isForward = after !== undefined;
    const which = this.#withOf(query);
    const statement = (isForward ? this.#forward : this.#backward).get(which);
    if (statement === undefined) throw new Error(`no history of ${which}`);
    const part = { after: (after ?? 0) + 1, before: (before ?? Number.MAX_SAFE_INTEGER) - 1 };
    const peer = keyOf(query.with ?? '');
    const { taken, isMore } = take(this.#messages(statement, { me, since, peer, ...part }), { limit, maxBytes });
    return { messages: isForward ? taken : taken.toReversed(), isMore };
  }

  search(query: SearchQuery): Page<FoundMessage> {
    const { words, before = Number.MAX_SAFE_INTEGER, limit } = query;
    const match = matchOf(words);
    if (match === undefined) return { messages: [], isMore: false };
    const { rows, before: next } = this.#search.find({ ...query, match, before, marks: this.#marks });
    const found = rows
      .slice(0, limit)
      .map((row) => Object.assign(storedOf(row), { snippet: this.#mark(String(row['snippet'])) }));
    const messages = found.toReversed();
    return next === undefined ? { messages, isMore: rows.length > limit } : { messages, isMore: true, before: next };
  }

  #mark(snippet: string): string {
    const { open, shut } = this.#marks;
    return withoutMarks(snippet).replaceAll(open, FOUND_OPEN).replaceAll(shut, FOUND_SHUT);
  }

  *#messages(ids: StatementSync, parameters: Record<string, number | string>): Generator<StoredMessage> {
    for (const { id } of ids.iterate(parameters)) {
      const row = this.#message.get(id ?? null);
      if (row !== undefined) yield storedOf(row);
    }
  }

  #withOf({ member, with: given }: Pick<HistoryQuery, 'member' | 'with'>): With {
    if (given === undefined) return 'any';
    if (!isGroup(given)) return given.toLowerCase() === ALL ? 'all' : 'peer';
    // A guest is new at every login, and what it heard is all from after that.
    return member < 0 || member > Number(this.#heardAbove.get()?.['heard_above']) ? 'group' : 'oldGroup';
  }

  close(): void {
    this.#database.close();
  }
}

function storedOf(row: Row): StoredMessage {
  return {
    id: Number(row['id']),
    atMs: Number(row['at_ms']),
    from: Number(row['sender']),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it was a name when it was stored
    fromName: row['sender_name'] as Name,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a CHECK holds it
    cast: row['sent_as'] as Cast,
    to: JSON.parse(String(row['addressed'])),
    text: String(row['text']),
  };
}
