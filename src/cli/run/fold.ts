// The output of many machines as one text to read: `web3: text`, and where several say the same, `web[1-9]: text`. Live:
// a line waits for those who have not said it yet, never longer than it may.
//
// What waits is a queue of rows, each a text and the machines that have said it. A machine's next line joins a row behind
// the one of its last line, or makes a new row at the end, and rows are printed from the front only. So the lines of one
// machine never change places, and the row in front is always the oldest. Without folding nothing waits but a line's end.

import type { OutputName } from '../../client/run.ts';
import { escapeControls } from '../../protocol/text.ts';
import { formatNodeSet } from '../../protocol/node-set.ts';
import { Alike } from './alike.ts';
import { LineCutter } from './line-cutter.ts';

/** A line to print, without its end. */
export interface FoldedLine {
  readonly stream: OutputName;
  /** Who said it, as a node set. */
  readonly hosts: string;
  /** Fit to be shown. */
  readonly text: string;
}

export interface FoldOptions {
  /** Whose output may come: the first line waits for all of them. */
  readonly hosts: Iterable<string>;
  /** False: each line at once, with its machine. */
  readonly isFolding?: boolean;
  /** So long a line waits for others to say it too. */
  readonly maxWaitMs?: number;
  /** All that waits, lines without an end too. */
  readonly maxHeldBytes?: number;
  /** UTF-16 units; a longer line comes in pieces. */
  readonly maxLineLength?: number;
}

/** Long enough for machines that begin together, short enough not to be felt. */
const MAX_WAIT_MS = 200;
/** Of a thousand machines, dozens of usual lines each; never exceeded, however many short lines come in one piece. */
const MAX_HELD_BYTES = 4 * 1024 * 1024;
/** Longer than any line that is read by eye. */
const MAX_LINE_LENGTH = 16_384;
/** What a row takes of itself, for each machine that has said it, and for each UTF-16 unit (in two places); rounded up. */
const ROW_BYTES = 256;
const HOST_IN_ROW_BYTES = 16;
const ROW_UNIT_BYTES = 4;
const UNFINISHED_UNIT_BYTES = 2;
/** The same machines say the same time and again, so that their names need to be folded once only. */
const MAX_CACHED_LABELS = 100;

interface Host {
  readonly name: string;
  readonly index: number;
  readonly label: string;
  readonly cutters: Readonly<Record<OutputName, LineCutter>>;
  /** That of its last line, printed or not. */
  row: Row;
  isOver: boolean;
}

interface Row {
  /** Rows are numbered as they are made. */
  readonly number: number;
  readonly stream: OutputName;
  readonly text: string;
  readonly sinceMs: number;
  readonly hosts: Host[];
  /** Machines whose last line it is. */
  last: number;
  /** `WAITING`, then the one in which it was printed. */
  round: number;
  next: Row | undefined;
}

const WAITING = -1;

export class Fold {
  readonly #options: Required<Omit<FoldOptions, 'hosts'>>;
  readonly #hosts = new Map<string, Host>();
  readonly #start: Row = { ...aRow({ number: 0, stream: 'stdout', text: '', sinceMs: 0 }), round: 0 };
  /** The rows that wait: a chain, since arrays of thousands are slow to take the first from. */
  #front: Row | undefined;
  #back: Row | undefined;
  /** The rows that wait, by what they say. */
  readonly #saying = { stdout: new Map<string, Alike<Row>>(), stderr: new Map<string, Alike<Row>>() };
  /** To be handed over by the call that is under way. */
  #printed: FoldedLine[] = [];
  #lastNumber = 0;
  #heldBytes = 0;
  /** Counts how often waiting was in vain: those who were waited for then are no more, until they say something. */
  #round = 0;
  /** Machines that all lines wait for: the last line of each was printed in this round. */
  #awaited = 0;
  readonly #labels = new Map<string, string>();

  constructor({
    hosts,
    isFolding = true,
    maxWaitMs = MAX_WAIT_MS,
    maxHeldBytes = MAX_HELD_BYTES,
    maxLineLength = MAX_LINE_LENGTH,
  }: FoldOptions) {
    this.#options = { isFolding, maxWaitMs, maxHeldBytes, maxLineLength };
    for (const name of hosts) this.#hostNamed(name);
  }

  push(name: string, output: { stream: OutputName; bytes: Uint8Array; nowMs: number }): FoldedLine[] {
    const { stream, bytes, nowMs } = output;
    const host = this.#hostNamed(name);
    const cutter = host.cutters[stream];
    const heldBefore = cutter.heldLength;
    const texts = cutter.receive(bytes);
    this.#heldBytes += UNFINISHED_UNIT_BYTES * (cutter.heldLength - heldBefore);
    for (const text of texts) this.#take(host, { stream, text, nowMs });
    if (this.#heldBytes > this.#options.maxHeldBytes) {
      // There are no rows any more: it is lines without an end that fill the room, and this is one of them.
      this.#heldBytes -= UNFINISHED_UNIT_BYTES * cutter.heldLength;
      for (const text of cutter.cut()) this.#take(host, { stream, text, nowMs });
    }
    return this.#settle(nowMs);
  }

  /** Nothing more comes from this machine, which nobody waits for any more. */
  end(name: string, nowMs: number): FoldedLine[] {
    const host = this.#hostNamed(name);
    if (host.isOver) return [];
    this.#finishLines(host, nowMs);
    this.#count(host.row, -1);
    host.isOver = true;
    return this.#settle(nowMs);
  }

  /** To be called at `dueMs` at the latest. */
  tick(nowMs: number): FoldedLine[] {
    return this.#settle(nowMs);
  }

  /** Everything that waits, lines without an end too. */
  flush(nowMs: number): FoldedLine[] {
    for (const host of this.#hosts.values()) this.#finishLines(host, nowMs);
    return this.#settle(Number.POSITIVE_INFINITY);
  }

  /** When the line that has waited longest may wait no more. */
  get dueMs(): number | undefined {
    return this.#front && this.#front.sinceMs + this.#options.maxWaitMs;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  #hostNamed(name: string): Host {
    const known = this.#hosts.get(name);
    if (known !== undefined) return known;
    const { maxLineLength } = this.#options;
    const cutters = { stdout: new LineCutter(maxLineLength), stderr: new LineCutter(maxLineLength) };
    const label = formatNodeSet([name]);
    const host: Host = { name, label, index: this.#hosts.size, cutters, row: this.#start, isOver: false };
    this.#hosts.set(name, host);
    this.#count(this.#start, 1);
    return host;
  }

  #finishLines(host: Host, nowMs: number): void {
    for (const stream of ['stdout', 'stderr'] as const) {
      const cutter = host.cutters[stream];
      this.#heldBytes -= UNFINISHED_UNIT_BYTES * cutter.heldLength;
      for (const text of cutter.end()) this.#take(host, { stream, text, nowMs });
    }
  }

  #take(host: Host, { stream, text, nowMs }: { stream: OutputName; text: string; nowMs: number }): void {
    if (!this.#options.isFolding) {
      this.#printed.push({ stream, hosts: host.label, text: escapeControls(text) });
      return;
    }
    const row = this.#saying[stream].get(text)?.after(host.row.number) ?? this.#newRow({ stream, text, nowMs });
    row.hosts.push(host);
    this.#heldBytes += HOST_IN_ROW_BYTES;
    if (!host.isOver) {
      this.#count(host.row, -1);
      this.#count(row, 1);
    }
    host.row = row;
    // At once: one piece of an output may hold more short lines than there is room for.
    if (this.#heldBytes > this.#options.maxHeldBytes) this.#printDue(nowMs);
  }

  #newRow({ stream, text, nowMs }: { stream: OutputName; text: string; nowMs: number }): Row {
    const row = aRow({ number: (this.#lastNumber += 1), stream, text, sinceMs: nowMs });
    if (this.#back === undefined) this.#front = row;
    else this.#back.next = row;
    this.#back = row;
    const saying = this.#saying[stream];
    const alike = saying.get(text) ?? new Alike<Row>();
    alike.push(row);
    saying.set(text, alike);
    this.#heldBytes += bytesOf(row);
    return row;
  }

  /** One machine more, or less, whose last line it is. */
  #count(row: Row, difference: 1 | -1): void {
    row.last += difference;
    if (row.round === this.#round) this.#awaited += difference;
  }

  /** What is printed by then. */
  #settle(nowMs: number): FoldedLine[] {
    this.#printDue(nowMs);
    const printed = this.#printed;
    this.#printed = [];
    return printed;
  }

  /** Prints what everybody has said or gone past, and what may wait no more. */
  #printDue(nowMs: number): void {
    const { maxWaitMs, maxHeldBytes } = this.#options;
    for (let front = this.#front; front !== undefined; front = this.#front) {
      if (this.#awaited > 0) {
        if (nowMs - front.sinceMs < maxWaitMs && this.#heldBytes <= maxHeldBytes) break;
        this.#round += 1;
        this.#awaited = 0;
      }
      this.#printFront(front);
    }
  }

  #printFront(row: Row): void {
    const { stream, text, hosts } = row;
    this.#front = row.next;
    // A machine keeps its last row for ever; it must not keep all that came after.
    row.next = undefined;
    if (this.#front === undefined) this.#back = undefined;
    const alike = this.#saying[stream].get(text);
    alike?.takeFirst();
    if (alike?.isEmpty === true) this.#saying[stream].delete(text);
    this.#heldBytes -= bytesOf(row) + HOST_IN_ROW_BYTES * hosts.length;
    row.round = this.#round;
    this.#awaited += row.last;
    this.#printed.push({ stream, hosts: this.#labelFor(hosts), text: escapeControls(text) });
  }

  #labelFor(hosts: readonly Host[]): string {
    const [only] = hosts;
    if (only !== undefined && hosts.length === 1) return only.label;
    const key = hosts
      .map(({ index }) => index)
      .sort((a, b) => a - b)
      .join();
    let label = this.#labels.get(key);
    if (label === undefined) {
      label = formatNodeSet(hosts.map(({ name }) => name));
      if (this.#labels.size >= MAX_CACHED_LABELS) this.#labels.clear();
      this.#labels.set(key, label);
    }
    return label;
  }
}

export function formatFolded({ hosts, text }: FoldedLine): string {
  return `${hosts}: ${text}\n`;
}

function aRow(given: Pick<Row, 'number' | 'stream' | 'text' | 'sinceMs'>): Row {
  return { ...given, hosts: [], last: 0, round: WAITING, next: undefined };
}

function bytesOf({ text }: Row): number {
  return ROW_BYTES + ROW_UNIT_BYTES * text.length;
}
