// Writing the chain: the next entry with its number and its hash, and what it keeps of outputs.

import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { Name } from '../core/name.ts';
import { type Chained, type FoundRuns, type KeptOutput, NO_HASH, type RunEntry } from '../core/run/record.ts';
import { numberOf } from './database.ts';
import { type Condemned, formatEntry, hashOf, unendedOf } from './entry.ts';
import { WrongEntry } from './errors.ts';

export class Chain {
  readonly #last: StatementSync;
  readonly #first: StatementSync;
  readonly #insert: StatementSync;
  readonly #begin: StatementSync;
  readonly #end: StatementSync;
  readonly #keep: StatementSync;

  constructor(database: DatabaseSync) {
    this.#last = database.prepare('SELECT number, hash FROM record ORDER BY number DESC LIMIT 1');
    this.#first = database.prepare('SELECT 1 FROM record WHERE run = ? AND member IS NOT NULL');
    this.#insert = database.prepare('INSERT INTO record VALUES (?, ?, ?, ?, ?)');
    this.#begin = database.prepare('INSERT INTO unended (record) VALUES (?)');
    this.#end = database.prepare('DELETE FROM unended WHERE record = ?');
    this.#keep = database.prepare('INSERT INTO kept VALUES (?, ?, ?, ?)');
  }

  /** In the caller's transaction; nothing is remembered here that it would have to undo. */
  add(entry: RunEntry): Chained {
    const last = this.#last.get();
    const number = Number(last?.['number'] ?? 0) + 1;
    const isFirst = entry.type !== 'ended' && this.#first.get(entry.run) === undefined;
    const text = formatEntry(entry, { number, isFirst });
    const hash = hashOf(hexOf(last?.['hash']) ?? NO_HASH, text);
    const member = entry.type !== 'ended' && isFirst ? entry.by : null;
    this.#insert.run(number, Buffer.from(hash, 'hex'), entry.run, member, text);
    if (entry.type === 'started') this.#begin.run(number);
    else if (entry.type === 'ended') {
      if (Number(this.#end.run(entry.start).changes) === 0)
        throw new WrongEntry(`entry ${entry.start} has an end already`);
      this.#keepOutput(number, 'stdout', entry.streams?.stdout);
      this.#keepOutput(number, 'stderr', entry.streams?.stderr);
    }
    return { number, hash };
  }

  #keepOutput(number: number, stream: string, output: KeptOutput | undefined): void {
    if (output !== undefined && output.head.length > 0) this.#keep.run(number, stream, output.head, output.tail);
  }
}

/** A hash as the port has it. */
export function hexOf(hash: unknown): string | undefined {
  return hash instanceof Uint8Array ? Buffer.from(hash).toString('hex') : undefined;
}

function condemnedIn(row: Record<string, SQLOutputValue>): Condemned | undefined {
  if (row['is_condemned'] !== 1) return undefined;
  const by = row['condemned_by'];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it was one when it was stored
  return { by: typeof by === 'string' ? (by as Name) : undefined };
}

export function foundRuns(database: DatabaseSync): FoundRuns {
  const last = database.prepare('SELECT hash FROM record ORDER BY number DESC LIMIT 1').get();
  const unended = database
    .prepare('SELECT entry, is_condemned, condemned_by FROM unended JOIN record ON number = record ORDER BY number')
    .all()
    .map((row) => unendedOf(String(row['entry']), condemnedIn(row)));
  return {
    last: numberOf(database, 'SELECT max(run) FROM record'),
    head: hexOf(last?.['hash']) ?? NO_HASH,
    unended: unended.filter((one) => one !== undefined),
  };
}
