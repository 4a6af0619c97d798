// A native client by hand for tests of the chat, over TCP or over Node's own WebSocket: asks, is answered, and keeps
// what it is told until the test wants to see it. It acknowledges what the test says, and nothing by itself.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { newNonce, type OwnerToken } from '../../src/net/owner.ts';
import { NativeLink, type Framing, type LinkEvent } from '../../src/protocol/native/link.ts';
import type { MethodName } from '../../src/protocol/native/methods.ts';
import { chatMessage, type WireMessage } from '../../src/protocol/native/methods/chat.ts';
import { ownerChallenge } from '../../src/protocol/native/methods/owner.ts';
import { Pump, type Carrier } from '../../src/protocol/native/pump.ts';
import type { RpcError } from '../../src/protocol/native/rpc.ts';
import { at } from './server.ts';

/** A wait that takes longer has failed. */
const PATIENCE_MS = 20_000;

export type Over = 'TCP' | 'WebSocket';
export const TRANSPORTS: readonly Over[] = ['TCP', 'WebSocket'];

export interface Told {
  readonly method: string;
  readonly params: unknown;
}

type Answer = { readonly result: unknown } | { readonly error: RpcError };

export class Talker implements AsyncDisposable {
  readonly #carrier: Carrier & { destroy(): unknown };
  readonly #link: NativeLink;
  readonly #pump: Pump;
  readonly #end: { address: string; port: number };
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  /** What was told and not asked for yet. */
  told: Told[] = [];
  #wake: () => void = () => {};
  #isClosed = false;

  private constructor(carrier: Carrier & { destroy(): unknown }, framing: Framing, end: Talker['end']) {
    this.#carrier = carrier;
    this.#end = end;
    this.#link = new NativeLink('client', { framing });
    this.#pump = new Pump(carrier, this.#link, {
      onEvent: (event) => this.#receive(event),
      onDrain() {},
      onClosed: () => {
        this.#isClosed = true;
        for (const answer of this.#waiting.values()) answer({ error: { code: 0, message: 'closed' } });
        this.#wake();
      },
    });
    this.#pump.start();
  }

  get end() {
    return this.#end;
  }

  static async connect(over: Over, host: string, port: number): Promise<Talker> {
    if (over === 'TCP') {
      const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
      await once(socket, 'connect');
      return new Talker(socket, 'stream', { address: host, port });
    }
    const webSocket = new WebSocket(`ws://${at(host, port)}/native`, 'partyline.v1');
    webSocket.binaryType = 'arraybuffer';
    // A page's WebSocket says nothing of why it failed.
    await new Promise<void>((resolve, reject) => {
      webSocket.addEventListener('open', () => resolve(), { once: true });
      webSocket.addEventListener('close', () => reject(new Error('the WebSocket was refused')), { once: true });
    });
    return new Talker(carrierOf(webSocket), 'messages', { address: host, port });
  }

  async try(method: MethodName, params: object = {}): Promise<Answer> {
    const id = this.#link.connection.request(method, params);
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
    this.#pump.settle();
    return await answered;
  }

  /** Returns the result, or the code of the refusal. */
  async ask(method: MethodName, params: object = {}): Promise<unknown> {
    const answer = await this.try(method, params);
    return 'result' in answer ? answer.result : (answer.error.data?.code ?? answer.error.message);
  }

  async becomeOwner(token: OwnerToken): Promise<void> {
    const clientNonce = newNonce();
    const challenged = ownerChallenge.parseResult(await this.ask('owner.challenge', { nonce: clientNonce }));
    assert.ok(challenged !== undefined);
    const nonces = { clientNonce, serverNonce: challenged.nonce, ...this.#end };
    const proof = token.prove({ by: 'client', ...nonces });
    assert.deepEqual(await this.ask('owner.prove', { proof }), { name: 'owner', role: 'owner' });
  }

  acknowledge(id: number): void {
    this.#link.connection.notify('chat.ack', { id });
    this.#pump.settle();
  }

  /** The first that is told of that method, from now on or from before. */
  async until(method: string): Promise<unknown> {
    for (;;) {
      const found = this.told.findIndex((told) => told.method === method);
      if (found >= 0) return this.told.splice(found, 1)[0]?.params;
      assert.ok(!this.#isClosed, `closed before ${method}; told ${JSON.stringify(this.told)}`);
      await this.#more();
    }
  }

  async message(): Promise<WireMessage> {
    return chatMessage.parse(await this.until('chat.message')) ?? assert.fail('not a message');
  }

  /** Everything that is told until an answer to a question asked now: the proof that nothing else came. */
  async barrier(): Promise<Told[]> {
    await this.ask('ping');
    // What the journal answers comes a turn later than what is answered at once.
    await this.ask('chat.history', { limit: 1 });
    await this.ask('ping');
    return this.told.splice(0);
  }

  async closed(): Promise<unknown> {
    while (!this.#isClosed) await this.#more();
    return this.told.find(({ method }) => method === 'connection.closing')?.params;
  }

  /** Reads nothing more until it is told to. */
  pause(): void {
    this.#carrier.pause();
  }

  resume(): void {
    this.#carrier.resume();
  }

  /** As if the cable were cut. */
  cut(): void {
    this.#carrier.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    while (!this.#isClosed) await this.#more();
  }

  #receive(event: LinkEvent): void {
    if (event.type === 'answer') this.#waiting.get(event.id)?.({ result: event.result });
    else if (event.type === 'refusal') this.#waiting.get(event.id)?.({ error: event.error });
    else if (event.type === 'notification') this.told.push({ method: event.method, params: event.params });
    else if (event.type === 'ended') this.#carrier.end();
    else if (event.type === 'failed') assert.fail(event.reason);
    this.#wake();
  }

  #more(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`told only ${JSON.stringify(this.told)}`)), PATIENCE_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** A browser's WebSocket has neither back-pressure nor a pause. */
function carrierOf(webSocket: WebSocket): Carrier & { destroy(): unknown } {
  return {
    writableLength: 0,
    writableNeedDrain: false,
    write: (bytes) => {
      webSocket.send(Uint8Array.from(bytes));
      return true;
    },
    cork() {},
    uncork() {},
    end: () => webSocket.close(),
    destroySoon: () => webSocket.close(),
    destroy: () => webSocket.close(),
    pause() {},
    resume() {},
    on(event: string, listener: (value: never) => void) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of the listeners only that of 'data' is told anything
      const gone = listener as () => void;
      if (event === 'data') {
        webSocket.addEventListener('message', ({ data }) => {
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the kind was asked for above
          listener(new Uint8Array(data as ArrayBuffer) as never);
        });
      } else if (event === 'close') webSocket.addEventListener('close', () => gone());
    },
  };
}
