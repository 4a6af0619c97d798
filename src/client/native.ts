// The client's end of a native connection, whatever carries it: asks and is answered, streams, and notices when the other
// end is not there any more. It runs in a browser as it is.

import { BROKEN_RULE, CLOSING, type NativeConnection } from '../protocol/native/connection.ts';
import { NativeLink, type Framing, type LinkEvent } from '../protocol/native/link.ts';
import { METHODS } from '../protocol/native/methods.ts';
import { parseRunEnded, parseRunStarted, RUN_ENDED } from '../protocol/native/methods/run.ts';
import { Pump, type Carrier, type Memory } from '../protocol/native/pump.ts';
import { field, isRecord } from '../protocol/native/rpc.ts';
import type { ReachFailure } from './reach.ts';
import { shown } from './shown.ts';
import { SILENT, Vigil, type After } from './vigil.ts';
import type { Answer, StreamEvent, Wire } from './wire.ts';

/** Why there is no connection, or none of the owner's, in one line fit to be shown. */
export interface Refused {
  readonly refused: string;
  readonly kind: ReachFailure;
}

export interface NativeClientOptions {
  readonly framing?: Framing;
  /** The address and port that were reached, where the carrier has such. */
  readonly far?: { readonly address: string; readonly port: number };
  /** What ended the carrier, in words. */
  readonly why: (error: Error) => string;
  /** So many bytes have come for what it serves. */
  readonly onServed?: (bytes: number) => void;
  /** Calls back when what has come by now has been told; where records of TLS come one by one. */
  readonly soon?: (then: () => void) => void;
  readonly memory?: Memory | undefined;
  /** Time, for tests. */
  readonly after?: After | undefined;
}

/** What the other end asks, and what comes on the streams that it opened. */
export type Asked = Extract<LinkEvent, { type: 'request' } | { stream: number }>;

/** The end that is asked. */
export interface Serving {
  onAsked(event: Asked): void;
  /** The socket takes bytes again. */
  onDrain(): void;
}

/** Milliseconds until a server must have answered the preface and proven itself: it does nothing slow for that. */
const HELLO_TIMEOUT_MS = 10_000;

export class NativeClient implements Wire {
  readonly #carrier: Carrier & { destroy(): unknown };
  readonly #link: NativeLink;
  readonly #pump: Pump;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  readonly #streams = new Map<number, (event: StreamEvent) => void>();
  readonly #notified = new Map<string, (params: unknown) => void>();
  /** Requests that start a run, and runs under way: their end is awaited as an answer is. */
  readonly #starting = new Set<number>();
  readonly #runs = new Set<number>();
  readonly #vigil: Vigil;
  readonly #opened: Promise<undefined>;
  #open!: (nothing: undefined) => void;
  #drained: (() => void) | undefined;
  #serving: Serving | undefined;
  #lost: string | undefined;
  #tellLost: (reason: string) => void = () => {};
  #statedReason: string | undefined;
  #isRuleBroken = false;
  serverName = '';
  readonly far: { readonly address: string; readonly port: number };
  readonly gone: Promise<string>;

  constructor(carrier: Carrier & { destroy(): unknown }, options: NativeClientOptions) {
    const { framing = 'stream', far = { address: '', port: 0 }, why, after, onServed, soon, memory } = options;
    this.#carrier = carrier;
    this.#link = new NativeLink('client', { framing });
    this.far = far;
    this.#vigil = new Vigil({ ask: () => this.#ping(), onSilent: () => this.#giveUp(), after });
    this.#opened = new Promise((resolve) => (this.#open = resolve));
    this.gone = new Promise((resolve) => (this.#tellLost = resolve));
    this.#pump = new Pump(carrier, this.#link, {
      onEvent: (event) => this.#receive(event),
      onDrain: () => this.#drained?.(),
      onClosed: (error) => this.#lose(error === undefined ? 'the connection was closed' : why(error)),
      // A machine is sent what its commands read; what a command says is told to a process that is soon gone.
      onRead: (bytes) => {
        if (this.#serving !== undefined) onServed?.(bytes);
      },
      // A server, where it was tried too, gained nothing by it.
      soon,
      memory,
    });
    carrier.on('data', () => this.#vigil.heard());
    this.#pump.start();
  }

  /** Waits until the server has answered as a native one. Undefined: it has. */
  async greeted(): Promise<Refused | undefined> {
    const lost = await this.soon(Promise.race([this.#opened, this.gone]));
    return lost === undefined ? undefined : { refused: lost, kind: 'unreached' };
  }

  /** For what belongs to the greeting; where it takes long, that was no native server. */
  async soon<Result>(work: Promise<Result>): Promise<Result> {
    const timer = setTimeout(() => this.#lose('it does not answer as a native server'), HELLO_TIMEOUT_MS);
    try {
      return await work;
    } finally {
      clearTimeout(timer);
    }
  }

  /** `onAnswer` is called before anything is told that came behind the answer. */
  async request(method: string, params: object, onAnswer?: (answer: Answer) => void): Promise<Answer> {
    if (this.#lost !== undefined) return { lost: this.#lost };
    const id = this.#link.connection.request(method, params);
    const { promise: answered, resolve } = Promise.withResolvers<Answer>();
    this.#waiting.set(id, (answer) => {
      onAnswer?.(answer);
      resolve(answer);
    });
    if (method === METHODS.runStart || method === METHODS.runAttach) this.#starting.add(id);
    this.#keepVigil();
    this.#pump.settle();
    return answered;
  }

  notify(method: string, params: object): void {
    if (this.#lost !== undefined) return;
    this.#link.connection.notify(method, params);
    this.#pump.settle();
  }

  /** Opens a stream; its events go to the listener. The request that names it is to follow at once. */
  openStream(direction: 'in' | 'out', listener: (event: StreamEvent) => void): number {
    const stream = this.#link.connection.nextStream();
    this.#link.connection.open(stream, direction);
    this.#streams.set(stream, listener);
    return stream;
  }

  /** False: wait for the stream's `drain`, or for `onDrain` if the socket is what is behind. */
  write(stream: number, bytes: Uint8Array): boolean {
    const hasCredit = this.#link.connection.write(stream, bytes);
    this.#pump.settle();
    return hasCredit && !this.#pump.isBacklogged;
  }

  canWrite(stream: number): boolean {
    return !this.#link.connection.isHoldingBack(stream) && !this.#pump.isBacklogged;
  }

  end(stream: number): void {
    this.#link.connection.end(stream);
    this.#pump.settle();
  }

  consume(stream: number, count: number): void {
    this.#link.connection.consume(stream, count);
    this.#pump.settle();
  }

  reset(stream: number): void {
    this.#link.connection.reset(stream);
    this.#pump.settle();
  }

  forget(stream: number): void {
    this.#link.connection.forget(stream);
    this.#streams.delete(stream);
  }

  onNotification(method: string, listener: (params: unknown) => void): void {
    this.#notified.set(method, listener);
  }

  /** The socket takes bytes again. */
  onDrain(listener: () => void): void {
    this.#drained = listener;
  }

  /** From now on the other end asks, and this one answers, with what is returned. */
  serve(serving: Serving): { readonly connection: NativeConnection; readonly pump: Pump } {
    this.#serving = serving;
    this.#drained = () => serving.onDrain();
    return { connection: this.#link.connection, pump: this.#pump };
  }

  /** Sends what is waiting and closes. */
  close(): void {
    this.#pump.close();
  }

  destroy(): void {
    this.#carrier.destroy();
    this.#lose('interrupted');
  }

  #receive(event: LinkEvent): void {
    switch (event.type) {
      case 'opened':
        this.serverName = shown(event.serverName);
        return this.#open(undefined);
      case 'answer':
        return this.#settleRequest(event.id, { result: event.result });
      case 'refusal':
        return this.#settleRequest(event.id, { error: event.error });
      case 'notification':
        if (event.method === CLOSING) this.#takeLeave(event.params);
        else this.#notified.get(event.method)?.(event.params);
        if (event.method === RUN_ENDED) this.#endRun(event.params);
        return undefined;
      case 'request': {
        if (this.#serving !== undefined) return this.#serving.onAsked(event);
        const error = { code: -32601, message: 'A client of this kind answers no requests' };
        return this.#link.connection.refuse(event.id, error);
      }
      case 'data':
      case 'end':
      case 'drain':
      case 'reset':
      case 'finished':
        return this.#serving === undefined ? this.#streams.get(event.stream)?.(event) : this.#serving.onAsked(event);
      case 'failed':
        this.#isRuleBroken = true;
        return this.#lose(event.reason);
      case 'unusable':
        return this.#lose(event.reason);
      case 'ended':
        return this.#lose('the server closed the connection');
    }
  }

  /** The answer to a ping is nobody's: that it came was all. */
  #settleRequest(id: number, answer: Answer): void {
    if (this.#starting.delete(id) && 'result' in answer) this.#beginRun(answer.result);
    this.#waiting.get(id)?.(answer);
    this.#waiting.delete(id);
    this.#keepVigil();
  }

  #beginRun(result: unknown): void {
    const run = parseRunStarted(result)?.run;
    if (run !== undefined) this.#runs.add(run);
  }

  #endRun(params: unknown): void {
    const run = parseRunEnded(params)?.run;
    if (run !== undefined) this.#runs.delete(run);
    this.#keepVigil();
  }

  #keepVigil(): void {
    this.#vigil.watch(this.#lost === undefined && (this.#waiting.size > 0 || this.#runs.size > 0));
  }

  #ping(): void {
    this.#link.connection.request(METHODS.ping, {});
    this.#pump.settle();
  }

  #takeLeave(params: unknown): void {
    this.#statedReason = textIn(params, 'reason');
    this.#isRuleBroken = textIn(params, 'code') === BROKEN_RULE;
  }

  /** What it has not taken from us it never will: that is not waited for. */
  #giveUp(): void {
    this.#lose(SILENT);
    this.#carrier.destroy();
  }

  #lose(reason: string): void {
    if (this.#lost !== undefined) return;
    this.#lost = shown(this.#statedReason ?? reason);
    this.#keepVigil();
    this.#pump.close();
    const lost = { lost: this.#lost, ...(this.#isRuleBroken ? { isRuleBroken: true } : {}) };
    for (const settle of this.#waiting.values()) settle(lost);
    this.#waiting.clear();
    this.#tellLost(this.#lost);
  }
}

function textIn(params: unknown, name: string): string | undefined {
  const text = isRecord(params) ? field(params, name) : undefined;
  return typeof text === 'string' ? text : undefined;
}
