// A command on a server, as its client sees it: bytes in, bytes out, and how it ended.

import { METHODS } from '../protocol/native/methods.ts';
import {
  parseRunEnded,
  parseRunStarted,
  RUN_ENDED,
  type RunEnded,
  type RunStart,
  type WireSize,
} from '../protocol/native/methods/run.ts';
import { shown } from './shown.ts';
import type { Answer, StreamEvent, Wire } from './wire.ts';

export type OutputName = 'stdout' | 'stderr';

export type RunEnd =
  | { end: 'ended'; result: 'exited' | 'signalled' | 'timeout' | 'cancelled'; status: number; reason?: string }
  /** It never started; `code` is the server's, for programs. */
  | { end: 'refused'; code: string; message: string }
  /** Nobody knows how it ended. `mayGoOn`: the way to it is gone, and it may go on if it was detached. */
  | { end: 'lost'; reason: string; mayGoOn?: true };

export interface RunListener {
  /** It was started, as far as the server can tell; `record`: it is on record under this number. */
  onStarted?(record: number | undefined): void;
  /**
   * `done` is to be called when the bytes are out of the way: as many more may come then. `release`, if whoever listens
   * likes, when it reads them no more: they are others then.
   */
  onOutput(name: OutputName, bytes: Uint8Array, done: () => void, release: () => void): void;
  onOutputEnd(name: OutputName): void;
  /** `write` may be called again. */
  onInputRoom(): void;
  /** The command takes no more input. */
  onInputClosed(): void;
}

export type RunWishes = Pick<
  RunStart,
  'command' | 'on' | 'cwd' | 'env' | 'terminal' | 'timeoutMs' | 'together' | 'approval'
>;

export interface RunHandle {
  /** False: wait for `onInputRoom`. */
  write(bytes: Uint8Array): boolean;
  endInput(): void;
  /** Wants no more of this output: the command meets a broken pipe. */
  dropOutput(name: OutputName): void;
  /** Of the command's terminal; the last one counts, once it is started. */
  resize(size: WireSize): void;
  /** Asks that the command be ended; how it went comes as its end. */
  cancel(): void;
  /** The server has answered, or it is over already. */
  readonly answered: Promise<void>;
  readonly ended: Promise<RunEnd>;
}

/** What runs need of a client. */
export type RunsClient = Pick<
  Wire,
  | 'request'
  | 'openStream'
  | 'write'
  | 'canWrite'
  | 'end'
  | 'consume'
  | 'reset'
  | 'forget'
  | 'onNotification'
  | 'onDrain'
  | 'gone'
>;

/** The runs of one client: they share its connection, and each has its own three streams. */
export class Runs {
  readonly #client: RunsClient;
  readonly #all = new Set<Followed>();
  /** How runs ended whose number nobody here has read yet: it may come in the same chunk as their end. */
  readonly #early = new Map<number, RunEnd>();
  #lastTogether = 0;
  #isGone = false;

  constructor(client: RunsClient) {
    this.#client = client;
    client.onDrain(() => {
      for (const run of this.#all) run.update();
    });
    client.onNotification(RUN_ENDED, (params) => this.#ended(params));
    void client.gone.then((reason) => {
      this.#isGone = true;
      for (const run of this.#all) run.settle({ end: 'lost', reason, mayGoOn: true });
    });
  }

  /** The connection is no more. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** For `together`: runs that are on record as one. */
  newTogether(): number {
    return ++this.#lastTogether;
  }

  start(wishes: RunWishes, listener: RunListener): RunHandle {
    return this.follow((hooks) => new ClientRun(this.#client, { wishes, listener, ...hooks }));
  }

  /** Tells what was made of its end, and that there is room for input. */
  follow<One extends Followed>(make: (hooks: FollowHooks) => One): One {
    const one: One = make({
      onNumber: (number) => {
        const end = this.#early.get(number);
        this.#early.delete(number);
        if (end !== undefined) one.settle(end);
      },
      onSettled: () => this.#all.delete(one),
    });
    this.#all.add(one);
    return one;
  }

  #ended(params: unknown): void {
    const ended = parseRunEnded(params);
    const reason = 'the server tells its end in a way not known here';
    if (ended === undefined) {
      for (const run of this.#all) run.settle({ end: 'lost', reason });
      return;
    }
    const run = this.#all.values().find(({ number }) => number === ended.run);
    if (run !== undefined) run.settle(endOf(ended));
    else if (this.#early.size < this.#all.size) this.#early.set(ended.run, endOf(ended));
  }
}

/** A command that was started over this connection, or one that it is attached to. */
export interface Followed {
  /** What the server calls it, once it has answered. */
  readonly number: number | undefined;
  settle(end: RunEnd): void;
  /** The socket takes bytes again. */
  update(): void;
}

export interface FollowHooks {
  /** To be called when the server has answered. */
  readonly onNumber: (number: number) => void;
  readonly onSettled: () => void;
}

interface ClientRunOptions extends FollowHooks {
  readonly wishes: RunWishes;
  readonly listener: RunListener;
}

class ClientRun implements RunHandle, Followed {
  readonly answered: Promise<void>;
  readonly ended: Promise<RunEnd>;
  readonly #client: RunsClient;
  readonly #listener: RunListener;
  readonly #streams: Pick<RunStart, 'stdin' | OutputName>;
  readonly #settle: (end: RunEnd) => void;
  readonly #onNumber: (number: number) => void;
  /** What the server calls it, once it has answered. */
  number: number | undefined;
  #isCancelled = false;
  #size: WireSize | undefined;

  constructor(client: RunsClient, { wishes, listener, onNumber, onSettled }: ClientRunOptions) {
    const { promise, resolve } = Promise.withResolvers<RunEnd>();
    this.ended = promise;
    this.#client = client;
    this.#listener = listener;
    this.#onNumber = onNumber;
    this.#settle = (end) => {
      onSettled();
      for (const stream of Object.values(this.#streams)) client.forget(stream);
      resolve(end);
    };
    this.#streams = {
      stdin: client.openStream('out', (event) => this.#onInput(event)),
      stdout: client.openStream('in', (event) => this.#onOutput('stdout', event)),
      stderr: client.openStream('in', (event) => this.#onOutput('stderr', event)),
    };
    this.answered = client
      .request(METHODS.runStart, { ...wishes, ...this.#streams })
      .then((answer) => this.#answered(answer));
  }

  settle(end: RunEnd): void {
    this.#settle(end);
  }

  /** The socket takes bytes again. */
  update(): void {
    if (this.#client.canWrite(this.#streams.stdin)) this.#listener.onInputRoom();
  }

  write(bytes: Uint8Array): boolean {
    return this.#client.write(this.#streams.stdin, bytes);
  }

  endInput(): void {
    this.#client.end(this.#streams.stdin);
  }

  dropOutput(name: OutputName): void {
    this.#client.reset(this.#streams[name]);
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#sendCancel();
  }

  #answered(answer: Answer): void {
    if ('lost' in answer) return this.#settle({ end: 'lost', reason: answer.lost });
    if ('error' in answer) {
      const { message, data } = answer.error;
      return this.#settle({ end: 'refused', code: data?.code ?? 'unknown', message: shown(message) });
    }
    const started = parseRunStarted(answer.result);
    this.number = started?.run;
    if (this.number === undefined) {
      return this.#settle({ end: 'lost', reason: 'the server answers in a way not known here' });
    }
    this.#listener.onStarted?.(started?.record);
    if (this.#isCancelled) this.#sendCancel();
    this.#sendSize();
    return this.#onNumber(this.number);
  }

  resize(size: WireSize): void {
    this.#size = size;
    this.#sendSize();
  }

  #sendSize(): void {
    if (this.number === undefined || this.#size === undefined) return;
    void this.#client.request(METHODS.runResize, { run: this.number, ...this.#size });
    this.#size = undefined;
  }

  #sendCancel(): void {
    // It may have ended meanwhile, which is as good.
    if (this.number !== undefined) void this.#client.request(METHODS.runCancel, { run: this.number });
  }

  #onInput(event: StreamEvent): void {
    if (event.type === 'drain') this.update();
    if (event.type === 'reset') this.#listener.onInputClosed();
  }

  #onOutput(name: OutputName, event: StreamEvent): void {
    if (event.type === 'data') {
      const { length } = event.bytes;
      const done = (): void => this.#client.consume(this.#streams[name], length);
      this.#listener.onOutput(name, event.bytes, done, event.release ?? NOTHING);
    }
    if (event.type === 'end') this.#listener.onOutputEnd(name);
  }
}

const NOTHING = (): void => {};

function endOf({ result, status, reason: given, cut }: RunEnded): RunEnd {
  const reason = given === undefined ? undefined : shown(given);
  if (result === 'denied') {
    return {
      end: 'refused',
      code: result,
      message: reason ?? 'The machine does not allow it; nothing was started there',
    };
  }
  if (result === 'lost' || status === null) {
    return { end: 'lost', reason: reason ?? 'the command was lost', ...(cut === true ? { mayGoOn: true } : {}) };
  }
  return { end: 'ended', result, status, ...(reason === undefined ? {} : { reason }) };
}
