// A native connection on a byte stream (TCP, TLS, a pipe): the preface each way, then frames one after the other. Where
// a transport keeps messages apart (a WebSocket) there is no preface, and a frame is a message.

import { NativeConnection, type NativeEvent, type Role } from './connection.ts';
import { FrameDecoder } from './decoder.ts';
import { encodeFrame, formatFrame, parseFrame, type Frame, type Malformed } from './frame.ts';
import { MAX_CONTROL_BYTES, MAX_CONTROL_BYTES_WITHOUT_ROLE, MAX_PREFACE_BYTES } from './limits.ts';
import {
  chooseVersion,
  formatClientPreface,
  formatServerPreface,
  LINE_GREETING,
  parseClientPreface,
  parseServerPreface,
} from './preface.ts';

export type LinkEvent =
  | NativeEvent
  /** Both prefaces are through; `serverName` is what the server calls itself. */
  | { type: 'opened'; version: number; serverName: string }
  /** The two ends speak no version in common, or the other end is no native one. The last event. */
  | { type: 'unusable'; reason: string }
  /** The other end has closed its direction. */
  | { type: 'ended' };

/** How the transport carries frames. */
export type Framing = 'stream' | 'messages';

export interface LinkOptions {
  /** A server says its name; a client learns it. */
  readonly serverName?: string;
  readonly framing?: Framing;
}

/** The only one yet; on a transport with messages it is chosen with the subprotocol. */
const VERSION = 1;
const LF = 0x0a;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class NativeLink {
  readonly connection: NativeConnection;
  readonly #role: Role;
  readonly #serverName: string;
  readonly #frames: FrameDecoder;
  /** Frames that came as messages; undefined on a stream. */
  readonly #messages: Uint8Array[] | undefined;
  /** The preface as far as it has come; undefined once it is through. */
  #preface: number[] | undefined = [];
  #mayBeGreeted: boolean;
  #isUnusable = false;
  #end: 'none' | 'seen' | 'told' = 'none';
  #events: LinkEvent[] = [];
  #output: Uint8Array[] = [];
  #done: (() => void)[] = [];

  constructor(role: Role, { serverName = '', framing = 'stream' }: LinkOptions = {}) {
    this.connection = new NativeConnection(role);
    this.#role = role;
    this.#serverName = serverName;
    this.#mayBeGreeted = role === 'client';
    this.#frames = new FrameDecoder(role === 'server' ? MAX_CONTROL_BYTES_WITHOUT_ROLE : MAX_CONTROL_BYTES);
    if (framing === 'messages') {
      this.#messages = [];
      this.#preface = undefined;
      this.#events.push({ type: 'opened', version: VERSION, serverName });
    } else if (role === 'client') this.#output.push(encoder.encode(formatClientPreface()));
  }

  /** The other end has shown who it is: its messages may be as long as any. */
  trust(): void {
    this.#frames.maxControlBytes = MAX_CONTROL_BYTES;
  }

  /** A chunk of the stream, or a whole message. */
  receive(chunk: Uint8Array): void {
    if (this.#messages !== undefined) return void this.#messages.push(chunk);
    const rest = this.#preface === undefined ? chunk : this.#readPreface(this.#preface, chunk);
    if (!this.#isUnusable) this.#frames.receive(rest);
  }

  /** Nothing that has come waits to be looked at. */
  get isDry(): boolean {
    return this.#frames.isDry;
  }

  receiveEnd(): void {
    if (this.#end === 'none') this.#end = 'seen';
  }

  /**
   * Frames are read one at a time as events are taken: what the handler of one event opens is open when the next frame
   * is read. Take them all after every call. `mayGoOn`: asked before each frame; what is left waits for the next call.
   */
  *takeEvents(mayGoOn: () => boolean = () => true): Generator<LinkEvent, void, void> {
    for (;;) {
      const events = [...this.#events.splice(0), ...this.connection.takeEvents()];
      yield* events;
      if (events.length > 0) continue;
      if (!mayGoOn()) return;
      const frame = this.#preface === undefined && !this.connection.isOver ? this.#nextFrame() : undefined;
      if (frame !== undefined) this.connection.receive(frame);
      else if (this.#end === 'seen') {
        this.#end = 'told';
        yield { type: 'ended' };
      } else return;
    }
  }

  takeOutput(): Uint8Array[] {
    const output = this.#output;
    this.#output = [];
    for (const frame of this.connection.takeOutput()) {
      if (frame.kind === 'data' && frame.done !== undefined) this.#done.push(frame.done);
      if (this.#messages === undefined) output.push(...formatFrame(frame));
      else output.push(encodeFrame(frame));
    }
    return output;
  }

  /** To be called when all the output that was taken so far is out. */
  takeDone(): (() => void)[] {
    if (this.#done.length === 0) return this.#done;
    const done = this.#done;
    this.#done = [];
    return done;
  }

  #nextFrame(): Frame | Malformed | undefined {
    if (this.#messages === undefined) return this.#frames.next();
    const message = this.#messages.shift();
    return message === undefined ? undefined : parseFrame(message, this.#frames.maxControlBytes);
  }

  #readPreface(preface: number[], chunk: Uint8Array): Uint8Array {
    for (const [index, byte] of chunk.entries()) {
      if (this.#isUnusable) break;
      if (byte === LF) {
        this.#preface = undefined;
        this.#finishPreface(decoder.decode(Uint8Array.from(preface)));
        return chunk.subarray(index + 1);
      }
      preface.push(byte);
      if (preface.length >= MAX_PREFACE_BYTES) this.#giveUp('the first line is longer than a preface');
      if (this.#mayBeGreeted) this.#skipGreeting(preface);
    }
    return chunk.subarray(chunk.length);
  }

  /** Exactly those bytes, once, and nothing that merely begins like them. */
  #skipGreeting(preface: number[]): void {
    if (preface.length < LINE_GREETING.length) return;
    if (preface.every((byte, index) => byte === LINE_GREETING.charCodeAt(index))) preface.length = 0;
    this.#mayBeGreeted = false;
  }

  #finishPreface(line: string): void {
    if (this.#role === 'server') return this.#answerPreface(line);
    const preface = parseServerPreface(line);
    if (typeof preface === 'string') return this.#giveUp(preface);
    if (preface.kind === 'none') return this.#giveUp(preface.reason);
    this.#events.push({ type: 'opened', version: preface.version, serverName: preface.serverName });
  }

  #answerPreface(line: string): void {
    const highest = parseClientPreface(line);
    if (highest === undefined) return this.#giveUp('the first line is not a preface');
    const answer = chooseVersion(highest, this.#serverName);
    this.#output.push(encoder.encode(formatServerPreface(answer)));
    if (answer.kind === 'none') return this.#giveUp(answer.reason);
    this.#events.push({ type: 'opened', version: answer.version, serverName: this.#serverName });
  }

  #giveUp(reason: string): void {
    this.#isUnusable = true;
    this.#events.push({ type: 'unusable', reason });
  }
}
