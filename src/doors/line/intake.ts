// What comes in on a line connection, at the pace at which it may be answered: lines are handled one by one, and as
// soon as the next may not be, it waits with all behind it and nothing more is read. Nothing that came is lost.

import type { Socket } from 'node:net';
import { TokenBucket, type Rate } from '../../core/rate.ts';
import { LineDecoder, type LineInput } from '../../protocol/line/decoder.ts';

export interface LineReader {
  /** So much waits to be written to the connection that it may not be given more to answer. */
  readonly isBehind: boolean;
  /** Something that it asked before is not done yet, and comes first. */
  mustWait(input: LineInput): boolean;
  handle(input: LineInput): void;
  /** The peer says no more, and all it said has been handled. */
  ended(): void;
}

export interface IntakeOptions {
  /** Lines before the connection is read more slowly; without it there is no such limit. */
  readonly rate: Rate | undefined;
  /** Milliseconds that never run backwards. */
  readonly clock: () => number;
}

export class Intake {
  readonly #socket: Socket;
  readonly #reader: LineReader;
  readonly #clock: () => number;
  readonly #bucket: TokenBucket | undefined;
  readonly #decoder = new LineDecoder();
  /** Lines that may not be handled yet; undefined when there are none, and only then is the socket read. */
  #waiting: LineInput[] | undefined;
  #timer: NodeJS.Timeout | undefined;
  #sawEnd = false;
  #isOver = false;

  constructor(socket: Socket, reader: LineReader, { rate, clock }: IntakeOptions) {
    this.#socket = socket;
    this.#reader = reader;
    this.#clock = clock;
    this.#bucket = rate === undefined ? undefined : new TokenBucket(rate, clock());
    socket.on('data', (chunk: Buffer) => this.#take(this.#decoder.receive(chunk)));
    socket.on('end', () => this.#end());
  }

  /** Begins with what has already been read of the connection. */
  open(first: Uint8Array): void {
    this.#take(this.#decoder.receive(first));
    if (this.#socket.readableEnded) this.#end();
    else if (this.#waiting === undefined) this.#socket.resume();
  }

  /** What was in the way may be gone: goes on with what waits. */
  goOn(): void {
    const waiting = this.#waiting;
    if (waiting === undefined || this.#timer !== undefined) return;
    this.#waiting = undefined;
    this.#handleAll(waiting);
    if (this.#waiting === undefined) this.#socket.resume();
  }

  /** Nothing more is handled; what still comes is read and dropped, so that what is on its way out is not cut short. */
  stop(): void {
    this.#isOver = true;
    this.#waiting = undefined;
    clearTimeout(this.#timer);
    this.#socket.resume();
  }

  #take(inputs: LineInput[]): void {
    if (this.#isOver) return;
    if (this.#waiting === undefined) this.#handleAll(inputs);
    else this.#waiting = this.#waiting.concat(inputs);
  }

  #end(): void {
    if (this.#sawEnd) return;
    this.#sawEnd = true;
    this.#take(this.#decoder.receiveEnd());
  }

  #handleAll(inputs: LineInput[]): void {
    for (let at = 0; at < inputs.length; at++) {
      const input = inputs[at];
      if (this.#isOver || input === undefined) return;
      if (this.#reader.isBehind || this.#reader.mustWait(input) || this.#isTooFast()) {
        this.#waiting = inputs.slice(at);
        this.#socket.pause();
        return;
      }
      this.#reader.handle(input);
    }
    if (this.#sawEnd && !this.#isOver) this.#reader.ended();
  }

  /** A sender over its rate is slowed by not being read, never cut off. */
  #isTooFast(): boolean {
    const waitMs = this.#bucket?.take(this.#clock()) ?? 0;
    if (waitMs === 0) return false;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.goOn();
    }, waitMs);
    return true;
  }
}
