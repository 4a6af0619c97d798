// The two halves of a stream's flow control. A sender spends credit and holds back what it has none for; a receiver
// notices who sends more than it granted, and grants again what was consumed.

import { CREDIT_STEP_BYTES, INITIAL_WINDOW_BYTES, MAX_DATA_BYTES, MAX_WINDOW_BYTES } from './limits.ts';

/** Bytes to be sent, and who is to be told when nobody needs them any more. */
export interface Piece {
  readonly bytes: Uint8Array;
  readonly done: (() => void) | undefined;
}

/** What we send on a stream. */
export class Outgoing {
  #credit = INITIAL_WINDOW_BYTES;
  readonly #held: Piece[] = [];
  isEnding = false;
  /** Somebody was told to wait. */
  owesDrain = false;

  get isHoldingBack(): boolean {
    return this.#held.length > 0;
  }

  hold(piece: Piece): void {
    if (piece.bytes.length > 0) this.#held.push(piece);
  }

  /** The next piece that may be sent now: no longer than a frame and than the credit, which it spends. */
  takePiece(): Piece | undefined {
    const first = this.#held[0];
    if (first === undefined) return undefined;
    const { bytes, done } = first;
    const count = Math.min(bytes.length, this.#credit, MAX_DATA_BYTES);
    if (count === 0) return undefined;
    this.#credit -= count;
    if (count === bytes.length) return this.#held.shift();
    this.#held[0] = { bytes: bytes.subarray(count), done };
    return { bytes: bytes.subarray(0, count), done: undefined };
  }

  /** False: the window would grow beyond every bound. */
  credit(bytes: number): boolean {
    this.#credit += bytes;
    return this.#credit <= MAX_WINDOW_BYTES;
  }
}

/** What we receive on a stream. */
export class Incoming {
  #window = INITIAL_WINDOW_BYTES;
  #consumed = 0;

  /** False: more was sent than was granted. */
  receive(count: number): boolean {
    this.#window -= count;
    return this.#window >= 0;
  }

  /** So many bytes are out of the way. Returns what to grant now: 0 until it is worth a frame. */
  consume(count: number): number {
    this.#consumed += count;
    if (this.#consumed < CREDIT_STEP_BYTES) return 0;
    const granted = this.#consumed;
    this.#consumed = 0;
    this.#window += granted;
    return granted;
  }
}
