// While it is measured: what is being done, and for each family the round trips so far, in lines that are written over.

import { setTimeout as after } from 'node:timers';
import type { ProbeStage } from '../../client/probe.ts';
import type { AddressFamily } from '../../net/race.ts';
import type { Look } from './look.ts';
import { highest, sparkline } from './sparkline.ts';

/** Milliseconds between two paintings: more often nobody reads. */
const INTERVAL_MS = 100;
/** As many as a wide terminal shows. */
const MAX_KEPT = 512;

const DOING: Readonly<Record<ProbeStage, string>> = {
  resolving: 'Looking up the name',
  connecting: 'Connecting to each address',
  echoing: 'Sending echoes',
  sizing: 'Trying larger echoes',
};

export class Live {
  readonly #output: { write(text: string): unknown };
  readonly #look: () => Look;
  readonly #rows = new Map<AddressFamily, { times: (number | undefined)[]; sent: number; lost: number }>();
  #doing = '';
  #linesShown = 0;
  #isOver = false;
  #timer: NodeJS.Timeout | undefined;

  /** The look is asked for at each painting: terminals are resized. */
  constructor(output: { write(text: string): unknown }, look: () => Look) {
    this.#output = output;
    this.#look = look;
  }

  stage(stage: ProbeStage): void {
    this.#doing = DOING[stage];
    this.#soon();
  }

  echo(family: AddressFamily, tookMs: number | undefined): void {
    const row = this.#rows.get(family) ?? { times: [], sent: 0, lost: 0 };
    this.#rows.set(family, row);
    row.times.push(tookMs);
    if (row.times.length > MAX_KEPT) row.times.shift();
    row.sent++;
    if (tookMs === undefined) row.lost++;
    this.#soon();
  }

  /** Nothing of it is left on the terminal, nor comes there any more. */
  clear(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#linesShown > 0) this.#output.write(`${this.#back()}\u001b[J`);
    this.#linesShown = 0;
  }

  #soon(): void {
    if (this.#isOver) return;
    this.#timer ??= after(() => {
      this.#timer = undefined;
      this.#paint();
    }, INTERVAL_MS);
  }

  #paint(): void {
    const { columns = 0, isUtf8 } = this.#look();
    // The last column stays free: some terminals go to the next line with it.
    const width = Math.max(columns - 1, 1);
    const maxMs = highest([...this.#rows.values()].map(({ times }) => times));
    const families = [...this.#rows].toSorted(([a], [b]) => a - b);
    const lines = families.map(([family, { times, sent, lost }]) => {
      const last = times.at(-1);
      const tail = `  ${last === undefined ? 'lost' : `${last.toFixed(1)} ms`}  ${sent} sent, ${lost} lost`;
      const row = sparkline(times, { maxMs, columns: width - 6 - tail.length, isUtf8 });
      return `IPv${family}  ${row}${tail}`;
    });
    const shown = [`${this.#doing} ${isUtf8 ? '…' : '...'}`, ...lines].map((line) => line.slice(0, width));
    const painted = shown.map((line) => `\u001b[K${line}\n`).join('');
    this.#output.write(`${this.#back()}${painted}`);
    this.#linesShown = shown.length;
  }

  /** ECMA-48: up to the first of our lines. */
  #back(): string {
    return this.#linesShown === 0 ? '' : `\r\u001b[${this.#linesShown}A`;
  }
}
