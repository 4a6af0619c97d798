// Watching a detached run, as a client sees it: what it said and says, in its order, how far that is, and how it ended.

import { runAttach } from '../protocol/native/methods/detached.ts';
import { runCancel } from '../protocol/native/methods/run.ts';
import { TaggedDecoder } from '../protocol/native/tagged.ts';
import type { FollowHooks, Followed, OutputName, RunEnd, RunsClient } from './run.ts';
import { shown } from './shown.ts';
import type { Answer, StreamEvent } from './wire.ts';

export interface AttachWishes {
  readonly id: number;
  /** Which of its hosts, counted from 0. */
  readonly host: number;
  /** Bytes of both outputs before what is wanted. */
  readonly from: number | 'end';
  readonly givesInput: boolean;
}

export interface AttachListener {
  /** `done` is to be called when the bytes are out of the way: as many more may come then. */
  onOutput(name: OutputName, bytes: Uint8Array, done: () => void): void;
  /** So many bytes are kept no more. */
  onMissing(bytes: number): void;
  onInputRoom(): void;
  /** The command takes no more input. */
  onInputClosed(): void;
}

export class Attached implements Followed {
  /** The server has answered, or it is over already. */
  readonly answered: Promise<void>;
  readonly ended: Promise<RunEnd>;
  number: number | undefined;
  readonly #client: RunsClient;
  readonly #listener: AttachListener;
  readonly #input: number | undefined;
  readonly #output: number;
  readonly #decoder = new TaggedDecoder();
  readonly #settle: (end: RunEnd) => void;
  readonly #hooks: FollowHooks;
  #position: number | undefined;
  #isBroken = false;
  #isLeft = false;

  constructor(
    client: RunsClient,
    { wishes, listener, hooks }: { wishes: AttachWishes; listener: AttachListener; hooks: FollowHooks },
  ) {
    const { promise, resolve } = Promise.withResolvers<RunEnd>();
    const { id, host, from, givesInput } = wishes;
    this.ended = promise;
    this.#client = client;
    this.#listener = listener;
    this.#hooks = hooks;
    this.#settle = (end) => {
      hooks.onSettled();
      for (const stream of [this.#output, this.#input]) if (stream !== undefined) client.forget(stream);
      resolve(end);
    };
    if (typeof from === 'number') this.#position = from;
    this.#input = givesInput ? client.openStream('out', (event) => this.#onInput(event)) : undefined;
    this.#output = client.openStream('in', (event) => this.#onOutput(event));
    const streams = { output: this.#output, ...(this.#input === undefined ? {} : { input: this.#input }) };
    this.answered = client
      .request(runAttach.name, { id, host, from, ...streams })
      .then((answer) => this.#answered(answer));
  }

  /** Where to go on from: what was given to the listener comes before it. Undefined: nobody has said. */
  get position(): number | undefined {
    return this.#position;
  }

  settle(end: RunEnd): void {
    this.#settle(end);
  }

  update(): void {
    if (this.#input !== undefined && this.#client.canWrite(this.#input)) this.#listener.onInputRoom();
  }

  /** False: wait for `onInputRoom`. */
  write(bytes: Uint8Array): boolean {
    return this.#input === undefined || this.#client.write(this.#input, bytes);
  }

  /** For good: the command reads its end. */
  endInput(): void {
    if (this.#input !== undefined) this.#client.end(this.#input);
  }

  /** Wants no more; the run goes on. How that went comes as its end, which says nothing of the run's. */
  leave(): void {
    this.#client.reset(this.#output);
    // Before it has a number nobody has answered; the answer finds that it is not wanted.
    this.#isLeft = true;
    this.#sendLeave();
  }

  #sendLeave(): void {
    if (this.#isLeft && this.number !== undefined) void this.#client.request(runCancel.name, { run: this.number });
  }

  #answered(answer: Answer): void {
    if ('lost' in answer) return this.#settle({ end: 'lost', reason: answer.lost, mayGoOn: true });
    if ('error' in answer) {
      const { message, data } = answer.error;
      return this.#settle({ end: 'refused', code: data?.code ?? 'unknown', message: shown(message) });
    }
    this.number = runAttach.parseResult(answer.result)?.run;
    if (this.number === undefined) {
      return this.#settle({ end: 'lost', reason: 'the server answers in a way not known here' });
    }
    this.#sendLeave();
    return this.#hooks.onNumber(this.number);
  }

  #onInput(event: StreamEvent): void {
    if (event.type === 'drain') this.update();
    if (event.type === 'reset') this.#listener.onInputClosed();
  }

  #onOutput(event: StreamEvent): void {
    if (event.type !== 'data' || this.#isBroken) return;
    const { length } = event.bytes;
    const pieces = this.#decoder.receive(event.bytes);
    if (pieces === undefined) {
      this.#isBroken = true;
      this.#client.reset(this.#output);
      return this.#settle({ end: 'lost', reason: 'its output comes in a way not known here' });
    }
    // What was granted is granted again once all that came with it is out of the way.
    let owed = 1;
    const done = () => {
      if (--owed === 0) this.#client.consume(this.#output, length);
    };
    for (const piece of pieces) {
      if (piece.type === 'position') {
        const missing = this.#position === undefined ? 0 : piece.at - this.#position;
        this.#position = piece.at;
        if (missing > 0) this.#listener.onMissing(missing);
        continue;
      }
      owed += 1;
      this.#position = (this.#position ?? 0) + piece.bytes.length;
      this.#listener.onOutput(piece.type, piece.bytes, done);
    }
    return done();
  }
}
