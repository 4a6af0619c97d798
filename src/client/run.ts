// A command on a server, as its client sees it: bytes in, bytes out, and how it ended.

import type { LinkEvent } from '../protocol/native/link.ts';
import { MAX_CONTROL_BYTES } from '../protocol/native/limits.ts';
import { METHODS } from '../protocol/native/methods.ts';
import {
  parseRunEnded,
  parseRunStarted,
  RUN_ENDED,
  type RunEnded,
  type RunStart,
} from '../protocol/native/methods/run.ts';
import type { NativeClient } from './native.ts';
import { shown } from './shown.ts';
import type { Answer } from './wire.ts';

export type OutputName = 'stdout' | 'stderr';

/** The part of the environment that a server may want; everything else stays here. */
const SENT = /^(?:LANG|LC_[A-Z]+|TERM|TZ)$/;
/** Bytes of a request beside its command: names, numbers, environment. */
const REQUEST_OVERHEAD_BYTES = 65_536;

export type RunEnd =
  | { end: 'ended'; result: 'exited' | 'signalled' | 'timeout' | 'cancelled'; status: number; reason?: string }
  /** It never started; `code` is the server's, for programs. */
  | { end: 'refused'; code: string; message: string }
  /** Nobody knows how it ended. */
  | { end: 'lost'; reason: string };

export interface RunListener {
  /** `done` is to be called when the bytes are out of the way: as many more may come then. */
  onOutput(name: OutputName, bytes: Uint8Array, done: () => void): void;
  onOutputEnd(name: OutputName): void;
  /** `write` may be called again. */
  onInputRoom(): void;
  /** The command takes no more input. */
  onInputClosed(): void;
}

export type RunWishes = Pick<RunStart, 'command' | 'on' | 'timeoutMs' | 'together'>;

export interface RunHandle {
  /** False: wait for `onInputRoom`. */
  write(bytes: Uint8Array): boolean;
  endInput(): void;
  /** Wants no more of this output: the command meets a broken pipe. */
  dropOutput(name: OutputName): void;
  /** Asks that the command be ended; how it went comes as its end. */
  cancel(): void;
  /** The server has answered, or it is over already. */
  readonly answered: Promise<void>;
  readonly ended: Promise<RunEnd>;
}

export function sentEnvironment(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const sent: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && SENT.test(name)) sent[name] = value;
  }
  return sent;
}

/** Undefined: the command fits a request. */
export function refusalOfLength(command: RunStart['command']): string | undefined {
  const most = MAX_CONTROL_BYTES - REQUEST_OVERHEAD_BYTES;
  const length = new TextEncoder().encode(JSON.stringify(command)).length;
  return length <= most ? undefined : `the command has ${length} bytes, and ${most} are the most`;
}

/** What runs need of a client. */
export type RunsClient = Pick<
  NativeClient,
  'request' | 'openStream' | 'write' | 'canWrite' | 'end' | 'consume' | 'reset' | 'onNotification' | 'onDrain' | 'gone'
>;

/** The runs of one client: they share its connection, and each has its own three streams. */
export class Runs {
  readonly #client: RunsClient;
  readonly #all = new Set<ClientRun>();
  /** How runs ended whose number nobody here has read yet: it may come in the same chunk as their end. */
  readonly #early = new Map<number, RunEnd>();
  #lastTogether = 0;

  constructor(client: RunsClient) {
    this.#client = client;
    client.onDrain(() => {
      for (const run of this.#all) run.update();
    });
    client.onNotification(RUN_ENDED, (params) => this.#ended(params));
    void client.gone.then((reason) => {
      for (const run of this.#all) run.settle({ end: 'lost', reason });
    });
  }

  /** For `together`: runs that are on record as one. */
  newTogether(): number {
    return ++this.#lastTogether;
  }

  start(wishes: RunWishes, listener: RunListener): RunHandle {
    const run: ClientRun = new ClientRun(this.#client, {
      wishes,
      listener,
      onNumber: (number) => {
        const end = this.#early.get(number);
        this.#early.delete(number);
        if (end !== undefined) run.settle(end);
      },
      onSettled: () => this.#all.delete(run),
    });
    this.#all.add(run);
    return run;
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

type StreamEvent = Extract<LinkEvent, { stream: number }>;

interface ClientRunOptions {
  readonly wishes: RunWishes;
  readonly listener: RunListener;
  /** Called when the server has answered. */
  readonly onNumber: (number: number) => void;
  readonly onSettled: () => void;
}

class ClientRun implements RunHandle {
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

  constructor(client: RunsClient, { wishes, listener, onNumber, onSettled }: ClientRunOptions) {
    const { promise, resolve } = Promise.withResolvers<RunEnd>();
    this.ended = promise;
    this.#client = client;
    this.#listener = listener;
    this.#onNumber = onNumber;
    this.#settle = (end) => {
      onSettled();
      resolve(end);
    };
    this.#streams = {
      stdin: client.openStream('out', (event) => this.#onInput(event)),
      stdout: client.openStream('in', (event) => this.#onOutput('stdout', event)),
      stderr: client.openStream('in', (event) => this.#onOutput('stderr', event)),
    };
    const env = sentEnvironment(process.env);
    this.answered = client
      .request(METHODS.runStart, { ...wishes, env, ...this.#streams })
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
    this.number = parseRunStarted(answer.result)?.run;
    if (this.number === undefined) {
      return this.#settle({ end: 'lost', reason: 'the server answers in a way not known here' });
    }
    if (this.#isCancelled) this.#sendCancel();
    return this.#onNumber(this.number);
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
      this.#listener.onOutput(name, event.bytes, () => this.#client.consume(this.#streams[name], length));
    }
    if (event.type === 'end') this.#listener.onOutputEnd(name);
  }
}

function endOf({ result, status, reason: given }: RunEnded): RunEnd {
  const reason = given === undefined ? undefined : shown(given);
  if (result === 'denied') {
    return {
      end: 'refused',
      code: result,
      message: reason ?? 'The machine does not allow it; nothing was started there',
    };
  }
  if (result === 'lost' || status === null) return { end: 'lost', reason: reason ?? 'the command was lost' };
  return { end: 'ended', result, status, ...(reason === undefined ? {} : { reason }) };
}
