// The chain in memory, with the texts and hashes that a database would have.

import {
  type Chained,
  type FoundRuns,
  type Hash,
  type KeptOutput,
  NO_HASH,
  type OutputQuery,
  type RunEntry,
  type RunQuery,
  type RunsPage,
  type RunsQuery,
  type StoredRun,
} from '../core/run/record.ts';
import type { Name } from '../core/name.ts';
import { endOf, formatEntry, hashOf, parseEntry, runOf, unendedOf } from './entry.ts';

interface Link {
  readonly entry: RunEntry;
  readonly text: string;
  readonly hash: Hash;
}

export class MemoryRuns {
  readonly #links: Link[];

  constructor(after?: MemoryRuns) {
    this.#links = after === undefined ? [] : [...after.#links];
  }

  found(condemned: ReadonlyMap<number, Name>): FoundRuns {
    const unended = this.#links
      .map(({ text }, at) => ({ text, number: at + 1 }))
      .filter(({ number }) => !this.#hasEnd(number))
      .map(({ text, number }) => unendedOf(text, condemned.has(number) ? { by: condemned.get(number) } : undefined))
      .filter((one) => one !== undefined);
    const last = Math.max(0, ...this.#links.map(({ entry }) => entry.run));
    return { last, head: this.#head, unended };
  }

  get #head(): Hash {
    return this.#links.at(-1)?.hash ?? NO_HASH;
  }

  add(entry: RunEntry): Chained {
    if (entry.type === 'ended' && (this.#hasEnd(entry.start) || this.#links[entry.start - 1] === undefined)) {
      return { failed: `entry ${entry.start} has an end already` };
    }
    const number = this.#links.length + 1;
    const text = formatEntry(entry, { number, isFirst: this.#of(entry.run).length === 0 });
    const hash = hashOf(this.#head, text);
    this.#links.push({ entry, text, hash });
    return { number, hash };
  }

  runs({ member, approver, before = Infinity, limit, maxBytes }: RunsQuery): RunsPage {
    const ids = [...new Set(this.#links.map(({ entry }) => entry.run))].filter((id) => id < before);
    const runs: StoredRun[] = [];
    let bytes = 0;
    for (const id of ids.sort((a, b) => b - a)) {
      const run = this.run({ id, member, ...(approver === undefined ? {} : { approver }) });
      if (run === undefined) continue;
      bytes += this.#of(id).reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
      if (runs.length >= limit || (runs.length > 0 && bytes > maxBytes))
        return { runs: runs.toReversed(), isMore: true };
      runs.push(run);
    }
    return { runs: runs.toReversed(), isMore: false };
  }

  run({ id, member, approver }: RunQuery): StoredRun | undefined {
    const run = runOf(this.#of(id).map(({ text }) => parseEntry(text)));
    const isApproved = this.#of(id).some(
      ({ entry }) => entry.type === 'started' && approver !== undefined && entry.approved?.member === approver,
    );
    return member === undefined || run?.by === member || isApproved ? run : undefined;
  }

  output({ at, stream, ...query }: OutputQuery): KeptOutput | undefined {
    if (this.run(query) === undefined) return undefined;
    const number = endOf(
      this.#of(query.id).map(({ text }) => parseEntry(text)),
      at,
    );
    if (number === undefined) return undefined;
    const entry = this.#links[number - 1]?.entry;
    const kept = entry?.type === 'ended' ? entry.streams?.[stream] : undefined;
    return { head: kept?.head ?? new Uint8Array(0), tail: kept?.tail ?? new Uint8Array(0) };
  }

  #of(run: number): Link[] {
    return this.#links.filter(({ entry }) => entry.run === run);
  }

  #hasEnd(start: number): boolean {
    return this.#links.some(({ entry }) => entry.type === 'ended' && entry.start === start);
  }
}
