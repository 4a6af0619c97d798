// A command on many machines: so many at once, each by itself, one stalled machine holding back nobody; what came of it
// in a line for each way it ended.

import type { NativeClient } from '../client/native.ts';
import { Runs, type RunEnd, type RunHandle, type RunWishes } from '../client/run.ts';
import type { Interruption } from './interruption.ts';
import type { TargetHost } from './run-targets.ts';
import type { View } from './run-view.ts';
import type { HostResult } from './summary.ts';

/** Starts that wait for an answer: a server takes 64 questions at once, and puts each start on record before it answers. */
const MAX_UNANSWERED = 48;
/** Machines at once, unless fewer are wanted: each takes three streams of the connection. */
export const MAX_AT_ONCE = 1_000;

export interface ManyRuns {
  readonly client: NativeClient;
  readonly hosts: readonly TargetHost[];
  readonly wishes: RunWishes;
  readonly view: View;
  readonly interruption: Interruption;
  /** At most so many run at once. */
  readonly batch: number;
  /** After so many failures no other machine is begun with. */
  readonly stopAfter: number;
  /** What comes on standard input goes to all of them. */
  readonly hasInput: boolean;
  readonly onProgress: (running: readonly string[], results: ReadonlyMap<string, HostResult>) => void;
}

/** What came of it on each machine, in their order. */
export async function runOnMany(many: ManyRuns): Promise<ReadonlyMap<string, HostResult>> {
  const { hosts, interruption } = many;
  const crowd = new Crowd(many);
  void interruption.happened.then(() => crowd.cancel());
  await crowd.run();
  return new Map(hosts.map(({ name }) => [name, crowd.results.get(name) ?? { result: 'not-started' }]));
}

class Crowd {
  readonly results = new Map<string, HostResult>();
  readonly #many: ManyRuns;
  readonly #runs: Runs;
  readonly #handles = new Map<string, RunHandle>();
  /** Of standard input: who has no room for more. */
  readonly #full = new Set<string>();
  readonly #gate = new Gate(MAX_UNANSWERED);
  readonly #together: number;
  #failures = 0;
  #isCancelled = false;

  constructor(many: ManyRuns) {
    this.#many = many;
    this.#runs = new Runs(many.client);
    this.#together = this.#runs.newTogether();
  }

  async run(): Promise<void> {
    const { hosts, batch, hasInput } = this.#many;
    const waiting = [...hosts];
    if (hasInput) this.#passOn();
    const next = async (): Promise<void> => {
      for (let host = this.#mayGoOn ? waiting.shift() : undefined; host !== undefined;) {
        await this.#runOn(host);
        host = this.#mayGoOn ? waiting.shift() : undefined;
      }
    };
    await Promise.all(Array.from({ length: Math.min(batch, hosts.length) }, next));
    process.stdin.destroy();
  }

  cancel(): void {
    this.#isCancelled = true;
    for (const handle of this.#handles.values()) handle.cancel();
  }

  get #mayGoOn(): boolean {
    return !this.#isCancelled && this.#failures < this.#many.stopAfter;
  }

  async #runOn({ name, state }: TargetHost): Promise<void> {
    if (state === 'offline') return this.#settle(name, { result: 'offline' }, `${name} is offline`);
    const { view, wishes, hasInput, onProgress } = this.#many;
    await this.#gate.enter();
    if (!this.#mayGoOn) return this.#gate.leave();
    const handle = this.#runs.start(
      { ...wishes, on: name, together: this.#together },
      {
        onOutput: (stream, bytes, done) => view.output(name, { stream, bytes }, done),
        onOutputEnd: (stream) => view.outputEnd(name, stream),
        onInputRoom: () => this.#hasRoom(name),
        onInputClosed: () => this.#hasRoom(name),
      },
    );
    void handle.answered.then(() => this.#gate.leave());
    this.#handles.set(name, handle);
    if (!hasInput) handle.endInput();
    onProgress(this.#running, this.results);
    const ended = await handle.ended;
    this.#handles.delete(name);
    this.#hasRoom(name);
    this.#settle(name, resultOf(ended), reasonOf(ended));
  }

  #settle(name: string, result: HostResult, reason: string | undefined): void {
    this.results.set(name, result);
    if (!('status' in result) || result.status !== 0) this.#failures += 1;
    this.#many.view.ended(name, result, reason);
    this.#many.onProgress(this.#running, this.results);
  }

  get #running(): readonly string[] {
    return [...this.#handles.keys()];
  }

  /** As fast as the slowest of them takes it. */
  #passOn(): void {
    const input = process.stdin;
    input.on('data', (chunk: Uint8Array) => {
      for (const [name, handle] of this.#handles) if (!handle.write(chunk)) this.#full.add(name);
      if (this.#full.size > 0) input.pause();
    });
    const end = () => {
      for (const handle of this.#handles.values()) handle.endInput();
    };
    input.on('end', end).on('error', end);
  }

  #hasRoom(name: string): void {
    if (this.#full.delete(name) && this.#full.size === 0) process.stdin.resume();
  }
}

/** So many are inside; the others wait in their order. */
class Gate {
  #room: number;
  readonly #waiting: (() => void)[] = [];

  constructor(room: number) {
    this.#room = room;
  }

  enter(): Promise<void> {
    if (this.#room === 0) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#room -= 1;
    return Promise.resolve();
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#room += 1;
    else next();
  }
}

function resultOf(ended: RunEnd): HostResult {
  switch (ended.end) {
    case 'lost':
      return { result: 'lost' };
    case 'refused':
      return { result: ended.code === 'offline' ? 'offline' : 'denied' };
    case 'ended': {
      const { result, status } = ended;
      return result === 'signalled' ? { result, status, signal: status - SIGNAL_STATUS_BASE } : { result, status };
    }
  }
}

/** POSIX shells add the signal's number to this (XCU 2.8.2). */
export const SIGNAL_STATUS_BASE = 128;

function reasonOf(ended: RunEnd): string | undefined {
  return ended.end === 'refused' ? ended.message : ended.reason;
}
