// What the native door's tests bring along: a runner that does what the test says, and a client by hand.

import assert from 'node:assert/strict';
import type { connect } from 'node:net';
import type {
  ByteSink,
  ByteSource,
  LocalRun,
  LocalRunner,
  RunRequest,
  RunResult,
  TerminalSize,
} from '../../src/core/ports.ts';
import { newNonce, OwnerToken } from '../../src/net/owner.ts';
import { NativeLink, type LinkEvent } from '../../src/protocol/native/link.ts';
import { MAX_DATA_BYTES } from '../../src/protocol/native/limits.ts';
import { parseNonce, parseProof } from '../../src/protocol/native/methods/owner.ts';
import { Pump } from '../../src/protocol/native/pump.ts';

export const TOKEN = new OwnerToken(newNonce());
export const START = { command: { shell: 'ls' }, stdin: 1, stdout: 3, stderr: 5 };
/** A wait that takes longer has failed. */
export const PATIENCE_MS = 20_000;

class FakeSource implements ByteSource {
  isWanted = false;
  isCancelled = false;
  #onData: (chunk: Uint8Array) => void = () => {};
  #onEnd: () => void = () => {};
  #onWanted: (() => void) | undefined;
  onData(listener: (chunk: Uint8Array) => void): void {
    this.#onData = listener;
  }
  onEnd(listener: () => void): void {
    this.#onEnd = listener;
  }
  pause(): void {
    this.isWanted = false;
  }
  resume(): void {
    this.isWanted = true;
    this.#onWanted?.();
  }
  cancel(): void {
    this.isCancelled = true;
    this.#onEnd();
  }
  give(chunk: Uint8Array): void {
    assert.ok(this.isWanted, 'nobody wanted it');
    this.#onData(chunk);
  }
  end(): void {
    this.#onEnd();
  }
  /** Gives until nobody wants more although the client has heard it all, and returns how much that was. */
  async giveAll(caller: Caller): Promise<number> {
    let given = 0;
    while (this.isWanted) {
      for (; this.isWanted; given += MAX_DATA_BYTES) this.give(new Uint8Array(MAX_DATA_BYTES));
      // The first answer comes behind all the bytes; when the second does, the socket has nothing left to say.
      await caller.ask('ping', {});
      await caller.ask('ping', {});
    }
    return given;
  }
  wanted(): Promise<void> {
    return new Promise((resolve) => (this.isWanted ? resolve() : (this.#onWanted = resolve)));
  }
}

class FakeSink implements ByteSink {
  received = Buffer.alloc(0);
  isFull = false;
  hasEnded = false;
  drain: () => void = () => {};
  close: () => void = () => {};
  write(chunk: Uint8Array): boolean {
    this.received = Buffer.concat([this.received, chunk]);
    return !this.isFull;
  }
  onDrain(listener: () => void): void {
    this.drain = listener;
  }
  onClosed(listener: () => void): void {
    this.close = listener;
  }
  end(): void {
    this.hasEnded = true;
  }
}

class FakeRun implements LocalRun {
  readonly stdin = new FakeSink();
  readonly stdout = new FakeSource();
  readonly stderr = new FakeSource();
  readonly #ended = Promise.withResolvers<RunResult>();
  readonly #cancelled = Promise.withResolvers<void>();
  readonly ended = this.#ended.promise;
  readonly begun = Promise.resolve(true);
  readonly cancelled = this.#cancelled.promise;
  cancel(): void {
    this.#cancelled.resolve();
  }
  readonly sizes: TerminalSize[] = [];
  resize(size: TerminalSize): void {
    this.sizes.push(size);
  }
  finish(result: RunResult): void {
    this.stdout.end();
    this.stderr.end();
    this.#ended.resolve(result);
  }
}

export class FakeRunner implements LocalRunner {
  readonly requests: RunRequest[] = [];
  readonly runs: FakeRun[] = [];
  start(request: RunRequest): LocalRun {
    const run = new FakeRun();
    this.requests.push(request);
    this.runs.push(run);
    return run;
  }
  async close(): Promise<void> {}
}

/** A client by hand: says what the test says, keeps what it hears. */
export class Caller {
  readonly socket;
  readonly link = new NativeLink('client');
  readonly connection = this.link.connection;
  readonly #pump: Pump;
  readonly #end: { address: string; port: number };
  readonly heard: LinkEvent[] = [];
  #wake: () => void = () => {};
  isClosed = false;

  constructor(socket: ReturnType<typeof connect>, end: { address: string; port: number }) {
    this.socket = socket;
    this.#end = end;
    this.#pump = new Pump(socket, this.link, {
      onEvent: (event) => {
        this.heard.push(event);
        this.#wake();
      },
      onDrain() {},
      onClosed: () => {
        this.isClosed = true;
        this.#wake();
      },
    });
    this.#pump.start();
  }

  /** The first event that fits, from now on or from before; those before it are forgotten. */
  async until<E extends LinkEvent>(fits: (event: LinkEvent) => event is E): Promise<E> {
    for (;;) {
      const at = this.heard.findIndex(fits);
      const found = this.heard[at];
      if (found !== undefined && fits(found)) {
        this.heard.splice(0, at + 1);
        return found;
      }
      assert.ok(!this.isClosed, `closed; heard ${JSON.stringify(this.heard)}`);
      await this.#more();
    }
  }

  async closed(): Promise<string | undefined> {
    while (!this.isClosed) {
      if (this.heard.some(({ type }) => type === 'ended')) this.socket.end();
      await this.#more();
    }
    const goodbye = this.heard.find((event) => event.type === 'notification' && event.method === 'connection.closing');
    const params = goodbye?.type === 'notification' ? goodbye.params : undefined;
    return JSON.stringify(params) ?? undefined;
  }

  async ask(method: string, params: object): Promise<unknown> {
    const id = this.connection.request(method, params);
    this.#pump.settle();
    const event = await this.until(isReply);
    assert.equal(event.id, id);
    return event.type === 'refusal' ? (event.error.data?.code ?? event.error.code) : event.result;
  }

  /** `token`: that of a real server. */
  async becomeOwner(token = TOKEN): Promise<void> {
    const clientNonce = newNonce();
    const challenged = await this.ask('owner.challenge', { nonce: clientNonce });
    const [nonce, proof] = [parseNonce(challenged), parseProof(challenged)];
    assert.ok('nonce' in nonce && 'proof' in proof);
    const proven = { clientNonce, serverNonce: nonce.nonce, ...this.#end };
    assert.ok(token.verify(proof.proof, { by: 'server', ...proven }), 'the server did not prove');
    const answer = await this.ask('owner.prove', { proof: token.prove({ by: 'client', ...proven }) });
    assert.deepEqual(answer, { name: 'owner', role: 'owner' });
  }

  /** Comes in as the owner and starts a command; what it gets depends on the test. */
  async start(): Promise<void> {
    await this.becomeOwner();
    this.connection.open(1, 'out');
    this.connection.open(3, 'in');
    this.connection.open(5, 'in');
    assert.deepEqual(await this.ask('run.start', START), { run: 1, record: 1 });
  }

  settle(): void {
    this.#pump.settle();
  }

  #more(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`heard only ${JSON.stringify(this.heard)}`)), PATIENCE_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

type Reply = Extract<LinkEvent, { type: 'answer' | 'refusal' }>;
const isReply = (event: LinkEvent): event is Reply => event.type === 'answer' || event.type === 'refusal';
export const ofType =
  <T extends LinkEvent['type']>(type: T) =>
  (event: LinkEvent): event is Extract<LinkEvent, { type: T }> =>
    event.type === type;
