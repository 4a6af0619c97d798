// Finding messages by their words: slice by slice, from the newest on, until the page is full or enough time has been
// spent on it. Whoever asks goes on from there, and others have their turn in between.

import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { MessageId, SearchQuery } from '../core/journal.ts';
import { OLD_SEARCH, OWN, searchIn } from './query.ts';
import { partOf, slicesIn } from './slices.ts';

type Row = Record<string, SQLOutputValue>;

/** No further slice is begun then: with the one that was, an answer takes less than 50 ms. */
const ENOUGH_MS = 25;
/** Messages that one was told, or told others, in a slice: of more, so many are found that each may be looked at. */
const MAX_MASKED = 20_000;
/** Ids that are kept for the next search, 8 MB of them. */
const MAX_KEPT_IDS = 1_000_000;
/** Statements that are kept, two for a slice of half a million messages. */
const MAX_STATEMENTS = 400;

type Wanted = Pick<SearchQuery, 'member' | 'since' | 'limit'> & {
  /** For FTS5. */
  readonly match: string;
  readonly before: MessageId;
  readonly marks: { readonly open: string; readonly shut: string };
};

interface Own {
  /** How far the words were indexed when it was read. */
  readonly upTo: number;
  /** Undefined: they are too many. */
  readonly ids: readonly number[] | undefined;
}

export class Search {
  readonly #database: DatabaseSync;
  readonly #now: () => number;
  readonly #meta: StatementSync;
  readonly #own: StatementSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #owns = new Map<string, Own>();
  #keptIds = 0;
  #mask = new Uint8Array();

  constructor(database: DatabaseSync, now: () => number) {
    this.#database = database;
    this.#now = now;
    this.#meta = database.prepare('SELECT slice, words_up_to, old_words_up_to FROM meta');
    this.#own = database.prepare(OWN);
  }

  /** Newest first, one more than wanted if there is one. `before`: what came before it has not been looked at. */
  find(wanted: Wanted): { rows: Row[]; before: MessageId | undefined } {
    // What is moved from one index to another meanwhile is in one of them.
    this.#database.exec('BEGIN');
    try {
      return this.#find(wanted);
    } finally {
      this.#database.exec('COMMIT');
    }
  }

  #find({ member: me, since, match: words, before, limit, marks }: Wanted) {
    const startMs = this.#now();
    const meta = this.#meta.get();
    const [size, upTo, old] = [
      Number(meta?.['slice']),
      Number(meta?.['words_up_to']),
      Number(meta?.['old_words_up_to']),
    ];
    const asked = { me, words, before, ...marks };
    const rows: Row[] = [];
    const left = () => limit + 1 - rows.length;
    let searched = 0;
    const isEnough = () => searched > 0 && this.#now() - startMs > ENOUGH_MS;
    const slices = upTo > old ? slicesIn(this.#database) : [];
    for (const slice of slices.filter((slice) => partOf(slice, size).from < before)) {
      if (left() === 0) return { rows, before: undefined };
      if (isEnough()) return { rows, before: partOf(slice, size).to };
      const { from, to } = partOf(slice, size);
      const own = this.#ownIn({ me, from, to, upTo: Math.min(upTo, to - 1) });
      const isMasked = own !== undefined;
      const statement = this.#prepare(searchIn(slice, isMasked ? 'mask' : 'rows'));
      const mask = isMasked ? { mask: this.#maskOf(own, from, size), from } : {};
      searched += 1;
      rows.push(...statement.all({ ...asked, ...mask, since, limit: left() }));
    }
    if (left() === 0 || old === 0 || before <= 1) return { rows, before: undefined };
    if (isEnough()) return { rows, before: old + 1 };
    rows.push(...this.#prepare(OLD_SEARCH).all({ ...asked, since, upTo: old, limit: left() }));
    return { rows, before: undefined };
  }

  /** What was told this member in a slice, or it told others. */
  #ownIn({
    me,
    from,
    to,
    upTo,
  }: {
    me: number;
    from: number;
    to: number;
    upTo: number;
  }): readonly number[] | undefined {
    const key = `${me} ${from}`;
    const kept = this.#owns.get(key);
    if (kept?.upTo === upTo) return kept.ids;
    const row = this.#own.get({ me, after: from, before: to - 1 });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a list of ids
    const [got, sent] = [row?.['got'], row?.['sent']].map((list) => JSON.parse(String(list)) as number[]);
    const all = [...(got ?? []), ...(sent ?? [])];
    const ids = all.length > MAX_MASKED ? undefined : all;
    this.#keptIds += (ids?.length ?? 0) - (kept?.ids?.length ?? 0);
    this.#owns.delete(key);
    this.#owns.set(key, { upTo, ids });
    for (const [oldest, own] of this.#owns) {
      if (this.#keptIds <= MAX_KEPT_IDS) break;
      this.#owns.delete(oldest);
      this.#keptIds -= own.ids?.length ?? 0;
    }
    return ids;
  }

  #maskOf(ids: readonly number[], from: number, size: number): Uint8Array {
    if (this.#mask.length !== size) this.#mask = new Uint8Array(size);
    this.#mask.fill(0);
    for (const id of ids) this.#mask[id - from] = 1;
    return this.#mask;
  }

  #prepare(sql: string): StatementSync {
    const kept = this.#statements.get(sql);
    if (kept !== undefined) return kept;
    if (this.#statements.size >= MAX_STATEMENTS) this.#statements.clear();
    const statement = this.#database.prepare(sql, { allowUnknownNamedParameters: true });
    this.#statements.set(sql, statement);
    return statement;
  }
}
