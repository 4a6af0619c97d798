// What a client is sent, in order: each message once, acknowledged when it has been consumed, and after a lost connection
// from there on. What had come and was not consumed comes again, so that nothing counts as read that nobody has read.

import {
  chatAck,
  chatBehind,
  chatLive,
  chatMessage,
  chatReceipt,
  chatSubscribe,
  type WireMessage,
} from '../protocol/native/methods/chat.ts';
import { ClosedError, refusedBy, UnreachableError } from './errors.ts';
import type { Wire } from './wire.ts';

export type Message = WireMessage;
/** What this client sent has reached one more of those it was for. */
export type Receipt = Exclude<ReturnType<typeof chatReceipt.parse>, undefined>;

/** Consumed messages that are acknowledged together, unless the reader has nothing left to read: a tenth of the window. */
const ACK_EVERY = 100;

export interface Reading {
  /** Only what came after this message; without it from where the account's delivery stands. */
  readonly after?: number;
  /** `never`: goes on as long as the client does. `caught-up`: ends when everything that waited has been read. */
  readonly until?: 'never' | 'caught-up';
  /** `consumed`: a message counts as read when the next one is asked for, or the loop is left. */
  readonly acknowledge?: 'consumed' | 'by-hand';
  /** So many messages are waiting on the server. */
  readonly onBehind?: (count: number) => void;
  /** What was sent by this client has arrived. */
  readonly onReceipt?: (receipt: Receipt) => void;
}

interface Waiting {
  readonly resolve: (message: Message | undefined) => void;
  readonly reject: (error: Error) => void;
}

export class Inbox {
  #reading: Reading = {};
  #isWanted = false;
  #wire: Wire | undefined;
  #queue: Message[] = [];
  #waiting: Waiting | undefined;
  #failed: Error | undefined;
  #isCaughtUp = false;
  /** Where reading begins, once that is known. */
  #start: number | undefined;
  /** The last message that the reader was given, and the last that it is done with. */
  #given: number | undefined;
  #consumed = 0;
  /** As this connection knows it. */
  #acknowledged = 0;
  #hasReader = false;
  /** Whose ids these are. */
  #journal: string | undefined;
  /** It was another one before: a reader may still have ids of that. */
  #hadOther = false;
  /** On this connection it is known whose ids come. */
  #isSubscribed = false;

  /** One reader at a time; a later one goes on where the one before it stopped. */
  open(reading: Reading): AsyncIterableIterator<Message> & AsyncDisposable {
    if (this.#hasReader) throw new Error('The messages of this client are being read already');
    this.#hasReader = true;
    this.#reading = reading;
    if (!this.#isWanted) {
      this.#isWanted = true;
      this.#start = reading.after;
      if (this.#wire !== undefined) this.#subscribe(this.#wire);
    }
    const leave = (): Promise<IteratorResult<Message>> => {
      this.#leave();
      return Promise.resolve({ done: true, value: undefined });
    };
    const iterator: AsyncIterableIterator<Message> & AsyncDisposable = {
      next: () => this.#next(),
      return: leave,
      [Symbol.asyncIterator]: () => iterator,
      async [Symbol.asyncDispose]() {
        await leave();
      },
    };
    return iterator;
  }

  /** Everything up to this message has arrived for good. Throws a `TypeError` for what is no id. */
  acknowledge(id: number): void {
    if (!Number.isSafeInteger(id) || id < 0) throw new TypeError(`acknowledge() takes the id of a message, not ${id}`);
    // Never given here: an id from before a copy took the journal's place.
    if (this.#hadOther && id > (this.#given ?? 0)) return;
    this.#consumed = Math.max(this.#consumed, id);
    this.#tell();
  }

  attach(wire: Wire): void {
    this.#wire = wire;
    if (this.#isWanted) this.#subscribe(wire);
  }

  detach(): void {
    this.#wire = undefined;
    this.#queue = [];
  }

  close(error: Error): void {
    this.#failed = error;
    this.#wire = undefined;
    if (error instanceof ClosedError) this.#queue = [];
    this.#wake();
  }

  #subscribe(wire: Wire): void {
    this.#queue = [];
    this.#isCaughtUp = false;
    this.#isSubscribed = false;
    this.#acknowledged = 0;
    wire.onNotification(chatMessage.name, (params) => {
      const message = chatMessage.parse(params);
      if (message === undefined || wire !== this.#wire) return;
      this.#queue.push(message);
      this.#wake();
    });
    wire.onNotification(chatLive.name, () => {
      this.#isCaughtUp = true;
      this.#wake();
    });
    wire.onNotification(chatBehind.name, (params) => {
      const behind = chatBehind.parse(params);
      if (behind !== undefined) this.#reading.onBehind?.(behind.count);
    });
    wire.onNotification(chatReceipt.name, (params) => {
      const receipt = chatReceipt.parse(params);
      if (receipt !== undefined) this.#reading.onReceipt?.(receipt);
    });
    const after = this.#consumed > 0 ? this.#consumed : this.#start;
    const from = {
      ...(after !== undefined && { after }),
      ...(this.#journal !== undefined && { journal: this.#journal }),
    };
    void wire.request(chatSubscribe.name, from).then((answer) => {
      if (wire !== this.#wire || 'lost' in answer) return;
      if ('error' in answer) return this.close(refusedBy(answer.error));
      const begun = chatSubscribe.parseResult(answer.result);
      if (begun !== undefined) return this.#begin(begun);
      return this.close(new UnreachableError(`The server answered ${chatSubscribe.name} in a way not known here`));
    });
  }

  /** A journal that a copy took the place of gave ids that are given again: nothing that was known of them counts. */
  #begin({ journal, cursor }: { readonly journal: string; readonly cursor: number }): void {
    if (this.#journal !== undefined && this.#journal !== journal) {
      this.#hadOther = true;
      this.#start = undefined;
      this.#given = undefined;
      this.#consumed = 0;
    }
    this.#journal = journal;
    this.#start ??= cursor;
    this.#isSubscribed = true;
    this.#tell();
    this.#wake();
  }

  /** The next one that the reader has not had: what it has in hand is not acknowledged yet, and comes again. */
  #take(): Message | undefined {
    let message = this.#isSubscribed ? this.#queue.shift() : undefined;
    while (message !== undefined && message.id <= (this.#given ?? 0)) message = this.#queue.shift();
    return message;
  }

  #next(): Promise<IteratorResult<Message>> {
    if (!this.#hasReader) return Promise.resolve({ done: true, value: undefined });
    this.#finishGiven();
    const { promise, resolve, reject } = Promise.withResolvers<Message | undefined>();
    // Two calls at once would each be given a message and one of them be lost when the loop ends.
    if (this.#waiting !== undefined) return Promise.reject(new Error('The next message is being waited for already'));
    this.#waiting = { resolve, reject };
    this.#wake();
    return promise.then((message) =>
      message === undefined ? { done: true, value: undefined } : { done: false, value: message },
    );
  }

  #wake(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    const message = this.#take();
    const hasEnded = this.#isSubscribed && this.#isCaughtUp && this.#reading.until === 'caught-up';
    if (message === undefined && this.#failed === undefined && !hasEnded) {
      // Nothing to read: the server learns now what was read, and its sender that it was.
      this.#tell();
      return;
    }
    this.#waiting = undefined;
    if (message !== undefined) {
      this.#given = message.id;
      return waiting.resolve(message);
    }
    this.#leave();
    if (this.#failed === undefined || this.#failed instanceof ClosedError) return waiting.resolve(undefined);
    return waiting.reject(this.#failed);
  }

  #finishGiven(): void {
    if (this.#given === undefined || this.#reading.acknowledge === 'by-hand') return;
    this.#consumed = this.#given;
    if (this.#consumed - this.#acknowledged >= ACK_EVERY) this.#tell();
  }

  #tell(): void {
    if (this.#consumed <= this.#acknowledged || this.#wire === undefined || !this.#isSubscribed) return;
    this.#acknowledged = this.#consumed;
    this.#wire.notify(chatAck.name, { id: this.#consumed });
  }

  #leave(): void {
    if (!this.#hasReader) return;
    this.#hasReader = false;
    this.#finishGiven();
    this.#tell();
    this.#waiting?.resolve(undefined);
    this.#waiting = undefined;
  }
}
