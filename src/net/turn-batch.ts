// Short messages of one turn of the event loop, written some at a time and the last ones at its end. The receivers sleep
// and wake less, and reading and writing each run through a warm cache: on hundreds of connections about a fifth more.

/** A turn rarely brings more; what does not fit is written before the turn ends. */
const BATCH_BYTES = 64 * 1_024;
/** As many as the event loop asks the kernel for at once. */
const MAX_MESSAGES = 1_024;
/** Fewer are not worth a batch. */
const MIN_MESSAGES = 8;
/** If all waited for the end of the turn, the receivers would stand still meanwhile, and then the server. */
const BATCHES_IN_A_TURN = 4;
/** Up to here a loop copies faster than a call into the engine. */
const LOOP_BYTES = 128;

export const MAX_SHORT_BYTES = 4_096;

export interface BatchTarget {
  /** False: the bytes are under way, and their memory must not be used again. */
  send(bytes: Uint8Array): boolean;
}

export class TurnBatch {
  #bytes = Buffer.allocUnsafeSlow(BATCH_BYTES);
  #used = 0;
  #count = 0;
  /** Messages of this turn, and what that says of the next one. */
  #inTurn = 0;
  #limit = MIN_MESSAGES;
  readonly #targets: (BatchTarget | undefined)[] = [];
  /** Used again by the next batch: messages of one size need no new ones. */
  #views: Uint8Array[] = [];
  #isArmed = false;

  /** Copies `length` bytes, at most MAX_SHORT_BYTES. The result is theirs until the end of the turn. */
  add(target: BatchTarget, from: Buffer, length: number): Uint8Array {
    if (this.#used + length > BATCH_BYTES || this.#count >= this.#limit) this.flush();
    let view = this.#views[this.#count];
    if (view === undefined || view.byteOffset !== this.#used || view.length !== length) {
      view = this.#bytes.subarray(this.#used, this.#used + length);
      this.#views[this.#count] = view;
    }
    if (length > LOOP_BYTES) from.copy(view, 0, 0, length);
    else for (let i = 0; i < length; i++) view[i] = from[i] ?? 0;
    this.#targets[this.#count] = target;
    this.#used += length;
    this.#count++;
    this.#inTurn++;
    if (!this.#isArmed) {
      this.#isArmed = true;
      setImmediate(() => this.#endTurn());
    }
    return view;
  }

  flush(): void {
    let isFree = true;
    for (let i = 0; i < this.#count; i++) {
      const view = this.#views[i];
      if (view !== undefined && this.#targets[i]?.send(view) === false) isFree = false;
      this.#targets[i] = undefined;
    }
    this.#used = 0;
    this.#count = 0;
    if (isFree) return;
    this.#bytes = Buffer.allocUnsafeSlow(BATCH_BYTES);
    this.#views = [];
  }

  #endTurn(): void {
    this.#isArmed = false;
    this.flush();
    this.#limit = Math.min(MAX_MESSAGES, Math.max(MIN_MESSAGES, Math.ceil(this.#inTurn / BATCHES_IN_A_TURN)));
    this.#inTurn = 0;
  }
}
