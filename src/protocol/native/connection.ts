// A native connection after its preface, seen from either end: frames in, events out; calls in, frames out. It knows
// JSON-RPC and the streams' credit, and nothing of sockets, time or who may do what.

import { shorten } from '../text.ts';
import { encodeFrame, type Frame, type Malformed } from './frame.ts';
import { MAX_OUTSTANDING_REQUESTS, MAX_REASON_LENGTH, MAX_STREAMS } from './limits.ts';
import {
  formatNotification,
  formatReply,
  formatRequest,
  formatRpc,
  parseRpc,
  rpcError,
  type Id,
  type RpcError,
  type RpcMessage,
} from './rpc.ts';
import { Incoming, Outgoing } from './stream.ts';

export type Role = 'client' | 'server';

/** Which way the bytes of a stream go, seen from here. */
export type Direction = 'in' | 'out' | 'both';

export type NativeEvent =
  | { type: 'request'; id: Id; method: string; params: unknown }
  | { type: 'notification'; method: string; params: unknown }
  | { type: 'answer'; id: number; result: unknown }
  | { type: 'refusal'; id: number; error: RpcError }
  /** `release`: to be called once nobody reads the bytes any more, so that others may take their place. Or never. */
  | { type: 'data'; stream: number; bytes: Uint8Array; release?: (() => void) | undefined }
  /** The other end sends no more on this stream. */
  | { type: 'end'; stream: number }
  /** `write` had said to wait; there is room again. */
  | { type: 'drain'; stream: number }
  /** The other end wants no more on this stream: what is written to it goes nowhere. */
  | { type: 'reset'; stream: number }
  /** Nothing more goes out on this stream: its END is on its way, or it was reset. */
  | { type: 'finished'; stream: number }
  /** The other end broke the rules; it is told so, and the transport is to be closed. The last event. */
  | { type: 'failed'; reason: string };

/** The notification that says why a connection is about to be closed. */
export const CLOSING = 'connection.closing';

/** Its `code` where a rule was broken: whoever does on the next connection what was done on this one loses that too. */
export const BROKEN_RULE = 'broken-rule';

/** A notification that many are told: worded and encoded once. */
export function sharedNotification(method: string, params: object): Frame {
  const frame = { kind: 'control', text: formatRpc({ kind: 'notification', method, params }) } as const;
  return { ...frame, encoded: encodeFrame(frame) };
}

export class NativeConnection {
  readonly role: Role;
  readonly #incoming = new Map<number, Incoming>();
  readonly #outgoing = new Map<number, Outgoing>();
  readonly #asked = new Set<Id>();
  readonly #unanswered = new Set<Id>();
  #events: NativeEvent[] = [];
  #output: Frame[] = [];
  #lastId = 0;
  /** The highest stream that each end opened. The client's are odd, the server's even: they never meet. */
  readonly #highest = { own: 0, theirs: 0 };
  #isOver = false;

  constructor(role: Role) {
    this.role = role;
  }

  /** The other end broke the rules, or has been told why the connection ends: nothing more is read or written. */
  get isOver(): boolean {
    return this.#isOver;
  }

  takeEvents(): NativeEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  takeOutput(): Frame[] {
    const output = this.#output;
    this.#output = [];
    return output;
  }

  /** Never throws: what breaks the rules becomes `failed`. */
  receive(frame: Frame | Malformed): void {
    if (this.#isOver) return;
    switch (frame.kind) {
      case 'malformed':
        return this.#fail(frame.reason);
      case 'control':
        return this.#receiveMessage(parseRpc(frame.text));
      case 'data':
        return this.#receiveData(frame.stream, frame.bytes);
      case 'end':
        if (this.#incoming.delete(frame.stream)) this.#events.push({ type: 'end', stream: frame.stream });
        return undefined;
      case 'credit':
        return this.#receiveCredit(frame.stream, frame.bytes);
      case 'reset':
        if (!this.#outgoing.delete(frame.stream)) return undefined;
        this.#events.push({ type: 'reset', stream: frame.stream }, { type: 'finished', stream: frame.stream });
        return undefined;
    }
  }

  // ── asking and answering ──

  /** What cannot be sent is refused here, by an event like any other refusal. */
  request(method: string, params: object): number {
    const id = ++this.#lastId;
    const text = formatRequest({ kind: 'request', id, method, params });
    if (typeof text === 'string') {
      this.#asked.add(id);
      this.#emit({ kind: 'control', text });
    } else this.#events.push({ type: 'refusal', id, error: text });
    return id;
  }

  /** Throws a `TypeError` if that cannot be sent; nothing of it was, and the connection goes on. */
  notify(method: string, params: object): void {
    this.#emit({ kind: 'control', text: formatNotification({ kind: 'notification', method, params }) });
  }

  /** What `sharedNotification` made. */
  share(frame: Frame): void {
    this.#emit(frame);
  }

  respond(id: Id, result: object): void {
    this.#reply({ kind: 'answer', id, result });
  }

  refuse(id: Id, error: RpcError): void {
    this.#reply({ kind: 'refusal', id, error });
  }

  /** Says why, and is over; the transport is closed by whoever called. */
  close(reason: string): void {
    this.#close({ reason });
  }

  #close({ reason, ...why }: { readonly reason: string; readonly code?: string }): void {
    if (this.#isOver) return;
    // It may quote what the other end has sent.
    this.notify(CLOSING, { reason: shorten(reason, MAX_REASON_LENGTH), ...why });
    this.#isOver = true;
    this.#incoming.clear();
    this.#outgoing.clear();
  }

  // ── streams ──

  /** The next number for a stream that this end opens. */
  nextStream(): number {
    const first = this.role === 'client' ? 1 : 2;
    return this.#highest.own === 0 ? first : this.#highest.own + 2;
  }

  /** Opens a stream whose number is `nextStream()`; the request that carries the number tells the other end. */
  open(stream: number, direction: Direction): void {
    if (stream !== this.nextStream()) throw new RangeError(`Stream ${stream} is not the next one`);
    this.#highest.own = stream;
    this.#add(stream, direction);
  }

  /**
   * Why streams that the other end named cannot be opened, or undefined. Numbers only ever grow, so that a frame which
   * is still on its way never reaches a later stream of the same number.
   */
  refusalToAccept(streams: readonly number[]): 'stream-number' | 'too-many-streams' | undefined {
    const parity = this.role === 'server' ? 1 : 0;
    let highest = this.#highest.theirs;
    for (const stream of streams) {
      if (stream % 2 !== parity || stream <= highest) return 'stream-number';
      highest = stream;
    }
    const open = new Set([...this.#incoming.keys(), ...this.#outgoing.keys()]).size;
    return open + streams.length > MAX_STREAMS ? 'too-many-streams' : undefined;
  }

  /** Opens a stream that the other end named. */
  accept(stream: number, direction: Direction): void {
    if (this.refusalToAccept([stream]) !== undefined) throw new RangeError(`Stream ${stream} cannot be accepted`);
    this.#highest.theirs = stream;
    this.#add(stream, direction);
  }

  /**
   * Sends now what there is credit for and holds the rest back: false says to write no more until `drain`.
   * The bytes must not change until `done` is called, which is not certain. On a stream that was reset they go nowhere.
   */
  write(stream: number, bytes: Uint8Array, done?: () => void): boolean {
    const out = this.#outgoing.get(stream);
    if (out === undefined || out.isEnding) return true;
    out.hold({ bytes, done });
    this.#flow(stream, out);
    out.owesDrain ||= out.isHoldingBack;
    return !out.isHoldingBack;
  }

  /** No byte follows those written. */
  end(stream: number): void {
    const out = this.#outgoing.get(stream);
    if (out === undefined || out.isEnding) return;
    out.isEnding = true;
    this.#flow(stream, out);
  }

  isHoldingBack(stream: number): boolean {
    return this.#outgoing.get(stream)?.isHoldingBack ?? false;
  }

  /** So many bytes that came on the stream are out of the way: as many more may come. */
  consume(stream: number, count: number): void {
    const granted = this.#incoming.get(stream)?.consume(count) ?? 0;
    if (granted > 0) this.#emit({ kind: 'credit', stream, bytes: granted });
  }

  /** Nothing more is wanted from this stream: its writer meets a broken pipe. */
  reset(stream: number): void {
    if (this.#incoming.delete(stream)) this.#emit({ kind: 'reset', stream });
  }

  /** Nothing is kept of it, and nobody is told: it is over, or the request that named it was refused. */
  forget(stream: number): void {
    this.#incoming.delete(stream);
    this.#outgoing.delete(stream);
  }

  // ── inside ──

  #add(stream: number, direction: Direction): void {
    if (direction !== 'out') this.#incoming.set(stream, new Incoming());
    if (direction !== 'in') this.#outgoing.set(stream, new Outgoing());
  }

  #emit(frame: Frame): void {
    if (!this.#isOver) this.#output.push(frame);
  }

  #send(message: Exclude<RpcMessage, { kind: 'invalid' }>): void {
    this.#emit({ kind: 'control', text: formatRpc(message) });
  }

  #reply(reply: Extract<RpcMessage, { kind: 'answer' | 'refusal' }>): void {
    if (reply.id === null || !this.#unanswered.delete(reply.id)) return;
    this.#emit({ kind: 'control', text: formatReply(reply) });
  }

  #fail(reason: string): void {
    this.#close({ reason, code: BROKEN_RULE });
    this.#events.push({ type: 'failed', reason });
  }

  #flow(stream: number, out: Outgoing): void {
    for (let piece = out.takePiece(); piece !== undefined; piece = out.takePiece()) {
      const { bytes, done } = piece;
      this.#emit(done === undefined ? { kind: 'data', stream, bytes } : { kind: 'data', stream, bytes, done });
    }
    if (out.isHoldingBack || !out.isEnding) return;
    this.#outgoing.delete(stream);
    this.#emit({ kind: 'end', stream });
    this.#events.push({ type: 'finished', stream });
  }

  // A frame for a stream that is not open is dropped: it crossed with an END, a RESET or a refusal on its way.

  #receiveData(stream: number, bytes: Uint8Array): void {
    const incoming = this.#incoming.get(stream);
    if (incoming === undefined) return;
    if (!incoming.receive(bytes.length)) return this.#fail(`more bytes on stream ${stream} than were granted`);
    this.#events.push({ type: 'data', stream, bytes });
  }

  #receiveCredit(stream: number, bytes: number): void {
    const out = this.#outgoing.get(stream);
    if (out === undefined) return;
    if (!out.credit(bytes)) return this.#fail(`more credit on stream ${stream} than a window may hold`);
    this.#flow(stream, out);
    if (!out.owesDrain || out.isHoldingBack || out.isEnding) return;
    out.owesDrain = false;
    this.#events.push({ type: 'drain', stream });
  }

  #receiveMessage(message: RpcMessage): void {
    switch (message.kind) {
      case 'request':
        return this.#receiveRequest(message.id, message.method, message.params);
      case 'notification':
        this.#events.push({ type: 'notification', method: message.method, params: message.params });
        return undefined;
      case 'answer':
        if (!this.#asked.delete(message.id)) return this.#fail('an answer to nothing that was asked');
        this.#events.push({ type: 'answer', id: Number(message.id), result: message.result });
        return undefined;
      case 'refusal':
        if (message.id === null) return this.#fail(`an error that answers no request: ${message.error.message}`);
        if (!this.#asked.delete(message.id)) return this.#fail('an error to nothing that was asked');
        this.#events.push({ type: 'refusal', id: Number(message.id), error: message.error });
        return undefined;
      case 'invalid':
        this.#send({ kind: 'refusal', id: message.id, error: message.error });
        return undefined;
    }
  }

  #receiveRequest(id: Id, method: string, params: unknown): void {
    if (this.#unanswered.has(id)) return this.#fail('a request with the id of one that is not answered yet');
    if (this.#unanswered.size >= MAX_OUTSTANDING_REQUESTS) {
      const why = `Cannot take more than ${MAX_OUTSTANDING_REQUESTS} requests at once`;
      return this.#send({ kind: 'refusal', id, error: rpcError('refused', 'too-many-requests', why) });
    }
    this.#unanswered.add(id);
    this.#events.push({ type: 'request', id, method, params });
  }
}
