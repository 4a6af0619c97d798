// A server for the library's tests, in memory: stores what is sent, feeds it from a cursor on, and loses connections when
// the test says so.

import assert from 'node:assert/strict';
import type { Message } from '../../src/client/inbox.ts';
import type { Answer, Opened, Transport, Wire } from '../../src/client/wire.ts';
import type { World } from '../../src/client/world.ts';
import { UnreachableError } from '../../src/client/errors.ts';
import { field, isRecord } from '../../src/protocol/native/rpc.ts';

export interface Asked {
  readonly method: string;
  readonly params: object;
}

type Listener = (params: unknown) => void;

/** One connection; the server's end of it is the `FakeChat` that made it. */
export class FakeWire implements Wire {
  readonly serverName = 'Fake';
  readonly gone: Promise<string>;
  readonly #server: FakeChat;
  readonly #waiting = new Set<(answer: Answer) => void>();
  readonly listeners = new Map<string, Listener>();
  #tellGone: (reason: string) => void = () => {};
  isGone = false;

  constructor(server: FakeChat) {
    this.#server = server;
    this.gone = new Promise((resolve) => (this.#tellGone = resolve));
  }

  request(method: string, params: object): Promise<Answer> {
    if (this.isGone) return Promise.resolve({ lost: 'gone' });
    return new Promise((resolve) => {
      this.#waiting.add(resolve);
      this.#server.receive(this, { method, params }, (answer) => {
        if (this.#waiting.delete(resolve)) resolve(answer);
      });
    });
  }

  notify(method: string, params: object): void {
    if (!this.isGone) this.#server.receive(this, { method, params }, () => {});
  }

  onNotification(method: string, listener: Listener): void {
    this.listeners.set(method, listener);
  }

  // It has no streams.

  openStream(): number {
    return assert.fail();
  }

  write(): boolean {
    return assert.fail();
  }

  canWrite(): boolean {
    return assert.fail();
  }

  end(): void {}

  consume(): void {}

  reset(): void {}

  forget(): void {}

  onDrain(): void {}

  close(): void {
    this.lose('closed');
  }

  destroy(): void {
    this.lose('destroyed');
  }

  lose(reason: string, isRuleBroken = false): void {
    if (this.isGone) return;
    this.isGone = true;
    for (const resolve of this.#waiting) resolve({ lost: reason, isRuleBroken });
    this.#waiting.clear();
    this.#tellGone(reason);
  }
}

export class FakeChat {
  readonly messages: Message[] = [];
  readonly asked: Asked[] = [];
  readonly wires: FakeWire[] = [];
  /** What was acknowledged last. */
  acknowledged = 0;
  /** Where the account's delivery stands. */
  cursor = 0;
  journal = 'first';
  isDown = false;
  isLoopback = true;
  isPrivate = true;
  /** Called before a request is carried out; `lost`: the connection goes and nothing is done; `cut`: for a broken rule. */
  before: (
    asked: Asked,
  ) => 'done' | 'lost' | 'cut' | 'done-then-lost' | { readonly error: Answer & { error: unknown } } = () => 'done';
  readonly #keys = new Map<string, number>();
  readonly #subscribed = new Set<FakeWire>();

  readonly transport: Transport = (signal): Promise<Opened> => {
    signal.throwIfAborted();
    if (this.isDown) return Promise.reject(new UnreachableError('Cannot connect to fake: nobody listens'));
    const wire = new FakeWire(this);
    this.wires.push(wire);
    return Promise.resolve({
      wire,
      isLoopback: this.isLoopback,
      isPrivate: this.isPrivate,
      fingerprint: undefined,
      greeting: Promise.resolve(undefined),
      mayLogInAtOnce: false,
      proveOwner: () => Promise.resolve({ proven: Promise.resolve({ result: { name: 'owner', role: 'owner' } }) }),
    });
  };

  get wire(): FakeWire {
    const wire = this.wires.at(-1);
    assert.ok(wire !== undefined, 'nobody has connected');
    return wire;
  }

  /** Somebody says something to whoever is connected. */
  say(text: string): Message {
    const id = this.messages.length + 1;
    const message: Message = { id, at: AT, from: 'bob', to: ['me'], cast: 'singlecast', text };
    this.messages.push(message);
    for (const wire of this.#subscribed) if (!wire.isGone) wire.listeners.get('chat.message')?.(message);
    return message;
  }

  /** A copy of the journal takes its place: what was said and acknowledged since `head` never was. */
  restore(head: number): void {
    this.messages.length = head;
    this.cursor = Math.min(this.cursor, head);
    this.journal += ' restored';
  }

  lose(reason = 'the cable'): void {
    this.wire.lose(reason);
  }

  receive(wire: FakeWire, asked: Asked, answer: (answer: Answer) => void): void {
    this.asked.push(asked);
    const fate = this.before(asked);
    if (typeof fate === 'object') return answer(fate.error);
    if (fate === 'lost') return wire.lose('lost on the way');
    if (fate === 'cut') return wire.lose('a frame too many', true);
    const result = this.#carryOut(wire, asked);
    if (fate === 'done-then-lost') return wire.lose('lost on the way back');
    // As from a network: never before the question has been asked.
    return queueMicrotask(() => answer({ result }));
  }

  #carryOut(wire: FakeWire, { method, params }: Asked): unknown {
    const given = (name: string) => (isRecord(params) ? field(params, name) : undefined);
    const number = (name: string): number | undefined => {
      const value = given(name);
      return typeof value === 'number' ? value : undefined;
    };
    switch (method) {
      case 'login.token':
      case 'login.password':
        return { name: 'me', role: 'member' };
      case 'login.guest':
        return { name: given('name'), role: 'guest' };
      case 'login.code':
        return { name: 'me', role: 'member', token: 'pl_new' };
      case 'chat.send': {
        const key = String(given('key'));
        const known = this.#keys.get(key);
        const id = known ?? this.say(String(given('text'))).id;
        this.#keys.set(key, id);
        return { id, at: AT, to: { bob: 'stored' }, repeat: known !== undefined };
      }
      case 'chat.subscribe': {
        this.#subscribed.add(wire);
        const isOurs = given('journal') === undefined || given('journal') === this.journal;
        const after = (isOurs ? number('after') : undefined) ?? this.cursor;
        const head = this.messages.length;
        queueMicrotask(() => {
          for (const message of this.messages.slice(after, head)) wire.listeners.get('chat.message')?.(message);
          wire.listeners.get('chat.live')?.({ head });
        });
        return { head, cursor: after, journal: this.journal };
      }
      case 'chat.ack':
        this.acknowledged = number('id') ?? 0;
        this.cursor = Math.max(this.cursor, this.acknowledged);
        return {};
      case 'chat.history': {
        const [after, before, limit = 1_000] = [number('after'), number('before'), number('limit')];
        const all = this.messages.filter(({ id }) => id > (after ?? 0) && id < (before ?? Number.MAX_SAFE_INTEGER));
        const messages = after === undefined ? all.slice(-limit) : all.slice(0, limit);
        return { messages, more: messages.length < all.length };
      }
      case 'account.invite':
        return {
          name: given('name'),
          role: 'member',
          kind: 'person',
          code: 'CODE',
          expires: AT,
          replaced: false,
          existing: false,
        };
      default:
        return {};
    }
  }
}

const AT = '2026-11-22T20:30:52.000Z';

/** Time that passes when the test says so, and chance that is none. */
export class StillWorld implements World {
  readonly delays: number[] = [];
  readonly #timers = new Map<number, () => void>();
  #next = 0;
  #keys = 0;

  after(ms: number, then: () => void): () => void {
    const timer = this.#next++;
    this.delays.push(ms);
    this.#timers.set(timer, then);
    return () => this.#timers.delete(timer);
  }

  random(): number {
    return 0.5;
  }

  newKey(): string {
    return `key-${++this.#keys}`;
  }

  /** Everything that waits for time has waited long enough. */
  pass(): void {
    const due = [...this.#timers.values()];
    this.#timers.clear();
    for (const then of due) then();
  }

  get isWaiting(): boolean {
    return this.#timers.size > 0;
  }
}
