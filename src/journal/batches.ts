// What waits to be written: one batch is with the writer, the next one collects meanwhile. Whoever asked is answered
// in the order of asking.

import type { Appended, Change, NewMessage, Recorded } from '../core/journal.ts';
import { type Answer, type Entry, packMessage } from './wire.ts';

/** Rows of a batch, a message and each recipient being one: so many are written in some tens of milliseconds. */
export const MAX_BATCH_ROWS = 5_000;
/** Characters of text in a batch: what is copied to the worker at once. */
export const MAX_BATCH_CHARACTERS = 8_388_608;

type Waiting =
  | { readonly type: 'append'; readonly message: NewMessage; readonly done: (appended: Appended) => void }
  | { readonly type: 'record'; readonly changes: readonly Change[]; readonly done: (recorded: Recorded) => void }
  | { readonly type: 'settle'; readonly done: () => void };

export class Batches {
  #waiting: Waiting[] = [];
  /** Those before it in `#waiting` are taken. */
  #taken = 0;
  #inFlight: readonly Waiting[] = [];

  get isEmpty(): boolean {
    return this.#waiting.length === 0 && this.#inFlight.length === 0;
  }

  get isInFlight(): boolean {
    return this.#inFlight.length > 0;
  }

  add(waiting: Waiting): void {
    this.#waiting.push(waiting);
  }

  /** The next batch; without entries if it only settles. It is in flight until it is answered. */
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
    this.#inFlight = this.#waiting.slice(start, this.#taken);
    // Cut off only where that moves less than it frees.
    if (this.#taken * 2 >= this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#taken);
      this.#taken = 0;
    }
    return entries;
  }

  /** Answers the batch that is in flight. */
  answer(answers: readonly Answer[]): void {
    const answered = this.#inFlight;
    this.#inFlight = [];
    let at = 0;
    for (const waiting of answered) {
      if (waiting.type === 'settle') waiting.done();
      else tell(waiting, answers[at++] ?? null);
    }
  }

  /** Everything that waits, in flight or not. */
  fail(reason: string): void {
    const failed = [...this.#inFlight, ...this.#waiting.slice(this.#taken)];
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
