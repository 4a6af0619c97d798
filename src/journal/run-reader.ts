// Reading records of runs: those that somebody may see, the newest first to be found.

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { KeptOutput, OutputQuery, RunId, RunQuery, RunsPage, RunsQuery, StoredRun } from '../core/run/record.ts';
import { endOf, type PackedEntry, parseEntry, runOf } from './entry.ts';

export class RunReader {
  readonly #all: StatementSync;
  readonly #own: StatementSync;
  readonly #entries: StatementSync;
  readonly #starter: StatementSync;
  readonly #approver: StatementSync;
  readonly #kept: StatementSync;

  constructor(database: DatabaseSync) {
    const before = 'member IS NOT NULL AND run < ? ORDER BY run DESC';
    this.#all = database.prepare(`SELECT run FROM record INDEXED BY run_first WHERE ${before}`);
    this.#own = database.prepare(
      `SELECT run FROM record INDEXED BY run_by_member WHERE member = :member AND member IS NOT NULL AND run < :before
       UNION
       SELECT run FROM record INDEXED BY run_by_approver WHERE approver = :approver AND approver IS NOT NULL AND run < :before
       ORDER BY run DESC`,
    );
    this.#entries = database.prepare('SELECT entry FROM record WHERE run = ? ORDER BY number');
    this.#starter = database.prepare('SELECT member FROM record WHERE run = ? AND member IS NOT NULL');
    this.#approver = database.prepare('SELECT 1 FROM record WHERE run = ? AND approver = ?');
    this.#kept = database.prepare('SELECT head, tail FROM kept WHERE record = ? AND stream = ?');
  }

  runs({ member, approver, before = Number.MAX_SAFE_INTEGER, limit, maxBytes }: RunsQuery): RunsPage {
    const ids =
      member === undefined
        ? this.#all.iterate(before)
        : this.#own.iterate({ member, approver: approver ?? null, before });
    const runs: StoredRun[] = [];
    let bytes = 0;
    for (const { run: id } of ids) {
      if (runs.length >= limit) return { runs: runs.toReversed(), isMore: true };
      const texts = this.#texts(Number(id));
      bytes += texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
      if (runs.length > 0 && bytes > maxBytes) return { runs: runs.toReversed(), isMore: true };
      const run = runOf(texts.map(parseEntry));
      if (run !== undefined) runs.push(run);
    }
    return { runs: runs.toReversed(), isMore: false };
  }

  run(query: RunQuery): StoredRun | undefined {
    return runOf(this.#visible(query));
  }

  output({ at, stream, ...query }: OutputQuery): KeptOutput | undefined {
    const end = endOf(this.#visible(query), at);
    if (end === undefined) return undefined;
    const kept = this.#kept.get(end, stream);
    return { head: bytesOf(kept?.['head']), tail: bytesOf(kept?.['tail']) };
  }

  #visible({ id, member, approver }: RunQuery): PackedEntry[] {
    const isOwn = member === undefined || this.#starter.get(id)?.['member'] === member;
    const isSeen = isOwn || (approver !== undefined && this.#approver.get(id, approver) !== undefined);
    return isSeen ? this.#texts(id).map(parseEntry) : [];
  }

  #texts(run: RunId): string[] {
    return this.#entries.all(run).map(({ entry }) => String(entry));
  }
}

function bytesOf(value: unknown): Uint8Array {
  return value instanceof Uint8Array ? value : new Uint8Array(0);
}
