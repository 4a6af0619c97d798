// A connection to a server for the tests of runs, in memory: what is asked and written is there to be looked at, and what
// a command says, how it ends and when the connection goes is the test's to say.

import assert from 'node:assert/strict';
import type { Answer, StreamEvent, Wire } from '../../src/client/wire.ts';
import type { ErrorCode } from '../../src/protocol/native/methods.ts';
import { RUN_ENDED, type RunEnded } from '../../src/protocol/native/methods/run.ts';
import { rpcError } from '../../src/protocol/native/rpc.ts';

interface Asked {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly answer: (answer: Answer) => void;
}

export class FakeCommands implements Wire {
  readonly serverName = 'Fake';
  readonly gone: Promise<string>;
  readonly asked: Asked[] = [];
  readonly open = new Map<number, (event: StreamEvent) => void>();
  readonly written = new Map<number, string>();
  readonly consumed = new Map<number, number>();
  readonly ended = new Set<number>();
  readonly wasReset = new Set<number>();
  /** What is written has to wait. */
  isFull = false;
  #lost: string | undefined;
  readonly #notified = new Map<string, (params: unknown) => void>();
  #tellGone: (reason: string) => void = () => {};
  #lastStream = -1;

  constructor() {
    this.gone = new Promise((resolve) => (this.#tellGone = resolve));
  }

  // ── the test's side ──

  /** The streams of the n-th request, counted from 0. */
  streamsOf(index: number): { readonly stdin: number; readonly stdout: number; readonly stderr: number } {
    const { stdin, stdout, stderr } = this.asked[index]?.params ?? {};
    assert.ok(typeof stdin === 'number' && typeof stdout === 'number' && typeof stderr === 'number');
    return { stdin, stdout, stderr };
  }

  answer(index: number, result: object): void {
    this.asked[index]?.answer({ result });
  }

  refuse(index: number, code: ErrorCode, message: string): void {
    this.asked[index]?.answer({ error: rpcError('refused', code, message) });
  }

  say(stream: number, bytes: Uint8Array | string): void {
    this.tell({ type: 'data', stream, bytes: typeof bytes === 'string' ? Buffer.from(bytes) : bytes });
  }

  tell(event: StreamEvent): void {
    this.open.get(event.stream)?.(event);
  }

  finish(ended: RunEnded): void {
    this.#notified.get(RUN_ENDED)?.(ended);
  }

  lose(reason = 'the cable'): void {
    this.#lost = reason;
    for (const { answer } of this.asked) answer({ lost: reason });
    this.#tellGone(reason);
  }

  // ── the client's side ──

  request(method: string, params: object): Promise<Answer> {
    if (this.#lost !== undefined) return Promise.resolve({ lost: this.#lost });
    return new Promise((answer) => this.asked.push({ method, params: { ...params }, answer }));
  }

  notify(): void {}

  onNotification(method: string, listener: (params: unknown) => void): void {
    this.#notified.set(method, listener);
  }

  openStream(_direction: 'in' | 'out', listener: (event: StreamEvent) => void): number {
    this.#lastStream += 2;
    this.open.set(this.#lastStream, listener);
    return this.#lastStream;
  }

  write(stream: number, bytes: Uint8Array): boolean {
    this.written.set(stream, (this.written.get(stream) ?? '') + Buffer.from(bytes).toString());
    return !this.isFull;
  }

  canWrite(): boolean {
    return !this.isFull;
  }

  end(stream: number): void {
    this.ended.add(stream);
  }

  consume(stream: number, count: number): void {
    this.consumed.set(stream, (this.consumed.get(stream) ?? 0) + count);
  }

  reset(stream: number): void {
    this.wasReset.add(stream);
  }

  forget(stream: number): void {
    this.open.delete(stream);
  }

  onDrain(): void {}

  close(): void {
    this.lose('closed');
  }

  destroy(): void {
    this.lose('destroyed');
  }
}
