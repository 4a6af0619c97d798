// A native connection on a byte stream (TCP, TLS, a pipe): the preface each way, then frames one after the other.
// Where a transport keeps messages apart there is no preface, and a frame is a message (`parseFrame`, `formatFrame`).

import { NativeConnection, type NativeEvent, type Role } from './connection.ts';
import { FrameDecoder } from './decoder.ts';
import { formatFrame } from './frame.ts';
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

const LF = 0x0a;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class NativeLink {
  readonly connection: NativeConnection;
  readonly #role: Role;
  readonly #serverName: string;
  readonly #frames: FrameDecoder;
  /** The preface as far as it has come; undefined once it is through. */
  #preface: number[] | undefined = [];
  #mayBeGreeted: boolean;
  #isUnusable = false;
  #end: 'none' | 'seen' | 'told' = 'none';
  #events: LinkEvent[] = [];
  #output: Uint8Array[] = [];

  /** A server says its name; a client learns it. */
  constructor(role: Role, serverName = '') {
    this.connection = new NativeConnection(role);
    this.#role = role;
    this.#serverName = serverName;
    this.#mayBeGreeted = role === 'client';
    this.#frames = new FrameDecoder(role === 'server' ? MAX_CONTROL_BYTES_WITHOUT_ROLE : MAX_CONTROL_BYTES);
    if (role === 'client') this.#output.push(encoder.encode(formatClientPreface()));
  }

  /** The other end has shown who it is: its messages may be as long as any. */
  trust(): void {
    this.#frames.maxControlBytes = MAX_CONTROL_BYTES;
  }

  receive(chunk: Uint8Array): void {
    const rest = this.#preface === undefined ? chunk : this.#readPreface(this.#preface, chunk);
    if (!this.#isUnusable) this.#frames.receive(rest);
  }

  receiveEnd(): void {
    if (this.#end === 'none') this.#end = 'seen';
  }

  /**
   * Frames are read one at a time as events are taken: what the handler of one event opens is open when the next frame
   * is read. Take them all after every call.
   */
  *takeEvents(): Generator<LinkEvent, void, void> {
    for (;;) {
      const events = [...this.#events.splice(0), ...this.connection.takeEvents()];
      yield* events;
      if (events.length > 0) continue;
      const frame = this.#preface === undefined && !this.connection.isOver ? this.#frames.next() : undefined;
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
    for (const frame of this.connection.takeOutput()) output.push(...formatFrame(frame));
    return output;
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
