// What waits to be written. What a turn brings goes to the writer at once, which commits together what it finds waiting.
// Whoever asked is answered in the order of asking.

import type { Appended, Change, NewMessage, Recorded } from '../core/journal.ts';
import { type Answer, type Entry, packMessage } from './wire.ts';

/** Rows of a batch, a message and each recipient being one: so many are written in some tens of milliseconds. */
export const MAX_BATCH_ROWS = 5_000;
/** Characters of text in a batch: what is copied to the worker at once. */
export const MAX_BATCH_CHARACTERS = 8_388_608;

/** Batches that the writer has: what comes later collects here, where it costs less than a message each. */
const MAX_IN_FLIGHT = 8;

type Waiting =
  | { readonly type: 'append'; readonly message: NewMessage; readonly done: (appended: Appended) => void }
  | { readonly type: 'record'; readonly changes: readonly Change[]; readonly done: (recorded: Recorded) => void }
  | { readonly type: 'settle'; readonly done: () => void };

/** A batch that the writer has; without entries it only settles, and takes its turn all the same. */
interface Batch {
  readonly waiting: readonly Waiting[];
  readonly hasEntries: boolean;
}

export class Batches {
  #waiting: Waiting[] = [];
  /** Those before it in `#waiting` are taken. */
  #taken = 0;
  #inFlight: Batch[] = [];

  get isEmpty(): boolean {
    return this.#waiting.length === 0 && this.#inFlight.length === 0;
  }

  /** Whether there is something to take, and the writer may have it already. */
  get isReady(): boolean {
    return this.#taken < this.#waiting.length && this.#inFlight.length < MAX_IN_FLIGHT;
  }

  add(waiting: Waiting): void {
    this.#waiting.push(waiting);
  }

  /** The next batch, in flight until it is answered; without entries there is nothing to be written for it. */
  next(): Entry[] {
    const start = this.#taken;
    const entries: Entry[] = [];
    for (let rows = 0, characters = 0; this.#taken < this.#waiting.length; this.#taken++) {
      const waiting = this.#waiting[this.#taken];
      if (waiting === undefined || waiting.type === 'settle') continue;
      if (waiting.type === 'record') {
        rows += waiting.changes.length;
      } else {
        rows += 1 + waiting.message.recipients.length;
        characters += waiting.message.text.length;
      }
      if (entries.length > 0 && (rows > MAX_BATCH_ROWS || characters > MAX_BATCH_CHARACTERS)) break;
      entries.push(waiting.type === 'record' ? { changes: waiting.changes } : packMessage(waiting.message));
    }
    this.#inFlight.push({ waiting: this.#waiting.slice(start, this.#taken), hasEntries: entries.length > 0 });
    // Cut off only where that moves less than it frees.
    if (this.#taken * 2 >= this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#taken);
      this.#taken = 0;
    }
    return entries;
  }

  /** Answers the batch that has been in flight longest, and those behind it that only settle. */
  answer(answers: readonly Answer[]): void {
    let at = 0;
    for (const waiting of this.#inFlight.shift()?.waiting ?? []) {
      if (waiting.type === 'settle') waiting.done();
      else tell(waiting, answers[at++] ?? null);
    }
    this.settle();
  }

  /** Answers what only settles, as far as nothing is in flight before it. */
  settle(): void {
    while (this.#inFlight[0]?.hasEntries === false) {
      for (const waiting of this.#inFlight.shift()?.waiting ?? []) if (waiting.type === 'settle') waiting.done();
    }
  }

  /** Everything that waits, in flight or not. */
  fail(reason: string): void {
    const failed = [...this.#inFlight.flatMap(({ waiting }) => waiting), ...this.#waiting.slice(this.#taken)];
    this.#inFlight = [];
    this.#waiting = [];
    this.#taken = 0;
    for (const waiting of failed) {
      if (waiting.type === 'settle') waiting.done();
      else tell(waiting, waiting.type === 'append' ? { result: 'failed', reason } : { failed: reason });
    }
  }
}

function tell(waiting: Exclude<Waiting, { type: 'settle' }>, answer: Answer): void {
  if (waiting.type === 'record') {
    waiting.done(answer !== null && typeof answer === 'object' && 'failed' in answer ? answer : undefined);
  } else if (typeof answer === 'number') {
    waiting.done({ result: 'new', id: answer });
  } else if (answer !== null && 'result' in answer) {
    waiting.done(answer);
  } else {
    waiting.done({ result: 'failed', reason: 'it was not answered for' });
  }
}
