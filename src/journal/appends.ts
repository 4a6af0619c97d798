// What waits to become durable. The messages of a turn of the event loop are one frame of the log, and everyone who asked
// is answered in the order of asking.

import type { Appended, MessageId, NewMessage } from '../core/journal.ts';
import { wordsFor } from './errors.ts';
import type { Log } from './log.ts';
import type { Packed } from './packed.ts';
import { Packer } from './packer.ts';
import type { Resends } from './resends.ts';
import type { Range, Resend } from './wire.ts';

/** Rows of a frame, a message and each recipient being one. */
const MAX_FRAME_ROWS = 5_000;
/** UTF-16 units of text and of names in a frame. Of three bytes each (RFC 3629 section 3), they fit into half a segment. */
const MAX_FRAME_CHARACTERS = 1_048_576;

export interface AppendsWorld {
  readonly log: Log;
  readonly resends: Resends;
  /** The last message that was stored. */
  readonly head: MessageId;
  /** Whether anything may be stored now; `waiting`: `commit` or `fail` will be called. */
  readonly gate: () => 'open' | 'waiting' | { readonly failed: string };
  /** These messages are durable, up to `head`: they have not been answered yet. */
  readonly onWritten: (range: Range, head: MessageId) => void;
  readonly onFailed: (reason: string) => void;
  /** There is no room in the log or for keys, until the database has taken some. */
  readonly onFull: () => void;
  /** Everything that was asked for has been answered. */
  readonly onEmpty: () => void;
}

type Waiting = { readonly message: NewMessage | undefined; readonly done: (appended: Appended) => void };

interface Batch {
  readonly waiting: readonly Waiting[];
  readonly answers: readonly Appended[];
  readonly packed: Packed;
}

const SETTLED: Appended = { result: 'failed', reason: 'nothing was to be stored' };

export class Appends {
  readonly #world: AppendsWorld;
  readonly #packer = new Packer();
  #waiting: Waiting[] = [];
  /** Those before it in `#waiting` are taken. */
  #taken = 0;
  #head: MessageId;
  #isScheduled = false;

  constructor(world: AppendsWorld) {
    this.#world = world;
    this.#head = world.head;
  }

  get isEmpty(): boolean {
    return this.#taken === this.#waiting.length && !this.#world.log.isWriting;
  }

  add(message: NewMessage, done: (appended: Appended) => void): void {
    this.#waiting.push({ message, done });
    this.#schedule();
  }

  settle(done: () => void): void {
    this.#waiting.push({ message: undefined, done });
    this.#schedule();
  }

  /** At the end of the turn: all that it brings goes together. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.commit();
    });
  }

  /** Goes on with what waits, as far as it can. */
  commit(): void {
    const { log, resends, gate, onFull } = this.#world;
    // What is asked while answers are given waits for the next turn.
    for (let left = this.#waiting.length - this.#taken; left > 0 && !log.isWriting;) {
      const state = gate();
      if (state === 'waiting') return;
      if (state !== 'open') return this.fail(state.failed);
      if (!log.hasRoom || resends.isFull) return onFull();
      const batch = this.#next();
      left -= batch.waiting.length;
      if (batch.packed.count === 0) answer(batch);
      else this.#write(batch);
    }
  }

  #write(batch: Batch): void {
    const first = this.#head - batch.packed.count + 1;
    this.#world.log.write({ ...batch.packed, first }, (error, range) => {
      if (error === null) {
        this.#world.onWritten(range, this.#head);
        answer(batch);
      } else {
        this.#takeBack(batch, first - 1, wordsFor(error));
      }
      if (this.isEmpty) this.#world.onEmpty();
      else this.#schedule();
    });
  }

  #takeBack({ waiting, answers }: Batch, head: MessageId, reason: string): void {
    this.#head = head;
    this.#world.resends.takeBack(head);
    this.#world.onFailed(reason);
    for (const [at, { message, done }] of waiting.entries()) {
      const appended = answers[at] ?? SETTLED;
      const isLost = message !== undefined && 'id' in appended && appended.id > head;
      done(isLost ? { result: 'failed', reason } : appended);
    }
  }

  #next(): Batch {
    const answers: Appended[] = [];
    const start = this.#taken;
    for (let rows = 0, characters = 0; this.#taken < this.#waiting.length; this.#taken++) {
      const message = this.#waiting[this.#taken]?.message;
      if (message === undefined) {
        answers.push(SETTLED);
        continue;
      }
      rows += 1 + message.recipients.length;
      characters += message.text.length;
      for (const name of message.to) characters += name.length;
      if (this.#packer.count > 0 && (rows > MAX_FRAME_ROWS || characters > MAX_FRAME_CHARACTERS)) break;
      answers.push(this.#take(message));
    }
    const waiting = this.#waiting.slice(start, this.#taken);
    // Cut off only where that moves less than it frees.
    if (this.#taken * 2 >= this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#taken);
      this.#taken = 0;
    }
    return { waiting, answers, packed: this.#packer.take() };
  }

  #take(message: NewMessage): Appended {
    const reason = whyWrong(message);
    if (reason !== undefined) return { result: 'failed', reason };
    const resend = this.#resendOf(message);
    if (resend !== undefined && 'result' in resend) return resend;
    this.#packer.add(message, resend);
    const id = ++this.#head;
    if (resend !== undefined) this.#world.resends.keep(message.from, resend, { id, atMs: message.atMs });
    return { result: 'new', id };
  }

  /** What to keep with it, if it has a key; or why it is not stored, or not again. */
  #resendOf(message: NewMessage): Resend | Exclude<Appended, { result: 'new' }> | undefined {
    if (message.resendKey === undefined) return undefined;
    try {
      return this.#world.resends.check(message, message.resendKey);
    } catch (error) {
      return { result: 'failed', reason: `its resend key cannot be looked up: ${wordsFor(error)}` };
    }
  }

  /** Everything that waits and has not been taken. */
  fail(reason: string): void {
    const failed = this.#waiting.slice(this.#taken);
    this.#waiting = [];
    this.#taken = 0;
    for (const { done } of failed) done({ result: 'failed', reason });
  }
}

function answer({ waiting, answers }: Batch): void {
  for (let at = 0; at < waiting.length; at++) waiting[at]?.done(answers[at] ?? SETTLED);
}

/** What the core should not have asked for, and the database would not take. */
function whyWrong({ cast, recipients, text }: NewMessage): string | undefined {
  // A group may have nobody in it but the sender.
  if (cast === 'singlecast' ? recipients.length !== 1 : cast === 'broadcast' && recipients.length > 0) {
    return `a ${cast} cannot have ${recipients.length} recipients`;
  }
  if (text.length > MAX_FRAME_CHARACTERS) return `a text cannot have ${text.length} characters`;
  if (recipients.length > 1 && new Set(recipients).size < recipients.length) {
    return 'nobody can be a recipient of one message twice';
  }
  return undefined;
}
