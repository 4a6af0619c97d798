// While it is measured: what is being done, and for each family the round trips so far, in lines that are written over.

import type { ProbeStage } from '../../client/probe.ts';
import type { AddressFamily } from '../../net/race.ts';
import { usableColumns, type Look } from './look.ts';
import { Panel } from './panel.ts';
import { highest, sparkline } from './sparkline.ts';

/** As many as a wide terminal shows. */
const MAX_KEPT = 512;

const DOING: Readonly<Record<ProbeStage, string>> = {
  resolving: 'Looking up the name',
  connecting: 'Connecting to each address',
  echoing: 'Sending echoes',
  sizing: 'Trying larger echoes',
};

export class Live {
  readonly #panel: Panel;
  readonly #look: () => Look;
  readonly #rows = new Map<AddressFamily, { times: (number | undefined)[]; sent: number; lost: number }>();
  #doing = '';

  constructor(output: { write(text: string): unknown }, look: () => Look) {
    this.#panel = new Panel(output, () => this.#lines());
    this.#look = look;
  }

  stage(stage: ProbeStage): void {
    this.#doing = DOING[stage];
    this.#panel.soon();
  }

  echo(family: AddressFamily, tookMs: number | undefined): void {
    const row = this.#rows.get(family) ?? { times: [], sent: 0, lost: 0 };
    this.#rows.set(family, row);
    row.times.push(tookMs);
    if (row.times.length > MAX_KEPT) row.times.shift();
    row.sent++;
    if (tookMs === undefined) row.lost++;
    this.#panel.soon();
  }

  /** Nothing of it is left on the terminal, nor comes there any more. */
  clear(): void {
    this.#panel.clear();
  }

  #lines(): string[] {
    const look = this.#look();
    const width = usableColumns(look);
    const maxMs = highest([...this.#rows.values()].map(({ times }) => times));
    const families = [...this.#rows].toSorted(([a], [b]) => a - b);
    const lines = families.map(([family, { times, sent, lost }]) => {
      const last = times.at(-1);
      const tail = `  ${last === undefined ? 'lost' : `${last.toFixed(1)} ms`}  ${sent} sent, ${lost} lost`;
      const row = sparkline(times, { maxMs, columns: width - 6 - tail.length, isUtf8: look.isUtf8 });
      return `IPv${family}  ${row}${tail}`;
    });
    return [`${this.#doing} ${look.isUtf8 ? '…' : '...'}`, ...lines].map((line) => line.slice(0, width));
  }
}
