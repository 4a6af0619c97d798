// The client's end of a native connection: dials, shows the server who is there, then asks and is answered.

import { newNonce, readOwnerToken, type OwnerToken, type Proven } from '../net/owner.ts';
import { formatHostPort } from '../net/address.ts';
import type { Dialled } from '../net/dial.ts';
import { whyConnectFailed } from '../net/reason.ts';
import { countRead } from '../net/scavenge.ts';
import { CLOSING, type NativeConnection } from '../protocol/native/connection.ts';
import { NativeLink, type LinkEvent } from '../protocol/native/link.ts';
import { METHODS } from '../protocol/native/methods.ts';
import { parseNonce, parseProof } from '../protocol/native/methods/owner.ts';
import { parseRunEnded, parseRunStarted, RUN_ENDED } from '../protocol/native/methods/run.ts';
import { Pump } from '../protocol/native/pump.ts';
import { field, isRecord } from '../protocol/native/rpc.ts';
import { hintOfTls, OWNER, reach, ReachError, type Reached, type ReachFailure } from './reach.ts';
import { shown } from './shown.ts';
import type { Trust } from './trust.ts';
import { SILENT, Vigil, type After } from './vigil.ts';
import type { Answer, Wire } from './wire.ts';

/** What a server calls the token's file, in its directory; the commands know net's words by the client only. */
export { OWNER_TOKEN_FILE } from '../net/owner.ts';

/** Why there is no connection, or none of the owner's, in one line fit to be shown. */
export interface Refused {
  readonly refused: string;
  readonly kind: ReachFailure;
}

export interface ConnectOptions {
  /** Holds the owner token; read once it is known that the server is on this machine. */
  readonly tokenFile: string;
  readonly trust: Trust;
  readonly signal?: AbortSignal;
}

type StreamEvent = Extract<LinkEvent, { stream: number }>;

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
/** Milliseconds of silence before TCP asks whether the machine of the server is still there. */
const KEEPALIVE_MS = 30_000;

/** Connects to a server and shows it that the owner is there. Throws the reason of `signal`, and nothing else. */
export async function connectAsOwner(
  target: string,
  { tokenFile, trust, signal }: ConnectOptions,
): Promise<NativeClient | Refused> {
  let reached: Reached;
  try {
    reached = await reach(target, { policy: OWNER, trust, signal });
  } catch (error) {
    if (error instanceof ReachError) return { refused: error.message, kind: error.kind };
    throw error;
  }
  const token = readOwnerToken(tokenFile);
  if ('refused' in token) {
    reached.socket.destroy();
    return { ...token, kind: 'denied' };
  }
  const client = new NativeClient(reached);
  const onAbort = () => client.destroy();
  signal?.addEventListener('abort', onAbort);
  const wrong = await client.becomeOwner(token);
  signal?.removeEventListener('abort', onAbort);
  if (wrong === undefined) return client;
  client.destroy();
  signal?.throwIfAborted();
  const { host, port } = reached;
  const hint = wrong.kind === 'unreached' ? hintOfTls(reached) : '';
  return { ...wrong, refused: `Cannot connect to ${formatHostPort(host, port)}: ${wrong.refused}${hint}` };
}

export class NativeClient implements Wire {
  readonly #dialled: Dialled;
  readonly #link = new NativeLink('client');
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
  serverName = '';
  /** What the server answered to the owner's proof. */
  provenOwner: unknown;
  readonly gone: Promise<string>;

  /** `after`: time, for tests. */
  constructor(dialled: Dialled, { after }: { readonly after?: After } = {}) {
    this.#dialled = dialled;
    this.#vigil = new Vigil({ ask: () => this.#ping(), onSilent: () => this.#giveUp(), after });
    this.#opened = new Promise((resolve) => (this.#open = resolve));
    this.gone = new Promise((resolve) => (this.#tellLost = resolve));
    this.#pump = new Pump(dialled.socket, this.#link, {
      onEvent: (event) => this.#receive(event),
      onDrain: () => this.#drained?.(),
      onClosed: (error) => this.#lose(error === undefined ? 'the connection was closed' : whyConnectFailed(error)),
      // A server, where it was tried too, gained nothing by it.
      soon: (then) => void setImmediate(then),
      // A machine is sent what its commands read; what a command says is told to a process that is soon gone.
      onRead: (bytes) => {
        if (this.#serving !== undefined) countRead(bytes);
      },
    });
    dialled.socket.on('data', () => this.#vigil.heard());
    // Where nothing is awaited nobody is asked, and a machine that is no longer there is found out all the same.
    dialled.socket.setKeepAlive(true, KEEPALIVE_MS);
    this.#pump.start();
  }

  /** The address and port that were reached. */
  get far(): { readonly address: string; readonly port: number } {
    return { address: this.#dialled.address, port: this.#dialled.port };
  }

  /** Waits until the server has answered as a native one. Undefined: it has. */
  async greeted(): Promise<Refused | undefined> {
    const timer = setTimeout(() => this.#lose('it does not answer as a native server'), HELLO_TIMEOUT_MS);
    const lost = await Promise.race([this.#opened, this.gone]);
    clearTimeout(timer);
    return lost === undefined ? undefined : { refused: lost, kind: 'unreached' };
  }

  /** The server proves that it knows the token before anything is proven to it. Undefined: done. */
  async becomeOwner(token: OwnerToken): Promise<Refused | undefined> {
    const timer = setTimeout(() => this.#lose('it does not answer as a native server'), HELLO_TIMEOUT_MS);
    try {
      await Promise.race([this.#opened, this.gone]);
      const clientNonce = newNonce();
      const challenged = await this.request(METHODS.ownerChallenge, { nonce: clientNonce });
      if (!('result' in challenged)) return refusalIn(challenged);
      const nonce = parseNonce(challenged.result);
      const proof = parseProof(challenged.result);
      if ('bad' in nonce || 'bad' in proof) return denied('it does not prove that it knows the owner token');
      const { address, port } = this.#dialled;
      const nonces = { clientNonce, serverNonce: nonce.nonce, address, port };
      if (!token.verify(proof.proof, { by: 'server', ...nonces } satisfies Proven)) {
        return denied('this server does not know the owner token, or not at this address; nothing was proven to it');
      }
      const proven = await this.request(METHODS.ownerProve, { proof: token.prove({ by: 'client', ...nonces }) });
      if (!('result' in proven)) return refusalIn(proven);
      this.provenOwner = proven.result;
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  async request(method: string, params: object): Promise<Answer> {
    if (this.#lost !== undefined) return { lost: this.#lost };
    const id = this.#link.connection.request(method, params);
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
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
    this.#dialled.socket.destroy();
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
        if (event.method === CLOSING) this.#statedReason = reasonIn(event.params);
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

  /** What it has not taken from us it never will: that is not waited for. */
  #giveUp(): void {
    this.#lose(SILENT);
    this.#dialled.socket.destroy();
  }

  #lose(reason: string): void {
    if (this.#lost !== undefined) return;
    this.#lost = shown(this.#statedReason ?? reason);
    this.#keepVigil();
    this.#pump.close();
    for (const settle of this.#waiting.values()) settle({ lost: this.#lost });
    this.#waiting.clear();
    this.#tellLost(this.#lost);
  }
}

function denied(refused: string): Refused {
  return { refused, kind: 'denied' };
}

function refusalIn(answer: Exclude<Answer, { result: unknown }>): Refused {
  return 'lost' in answer ? { refused: answer.lost, kind: 'unreached' } : denied(shown(answer.error.message));
}

function reasonIn(params: unknown): string | undefined {
  const reason = isRecord(params) ? field(params, 'reason') : undefined;
  return typeof reason === 'string' ? reason : undefined;
}
