// A command on many machines: so many at once, each by itself, one stalled machine holding back nobody; what came of it
// in a line for each way it ended.

import type { NativeClient } from '../../client/native.ts';
import { SIGNAL_STATUS_BASE } from '../../client/outcome.ts';
import { Runs, type OutputName, type RunEnd, type RunHandle, type RunWishes } from '../../client/run.ts';
import type { Interruption } from '../kit/interruption.ts';
import type { TargetHost } from './targets.ts';
import type { Drop, View } from './view.ts';
import type { HostResult } from '../../protocol/summary.ts';

/** Starts that wait for an answer: a server takes 64 questions at once, and puts each start on record before it answers. */
export const MAX_UNANSWERED = 48;

export interface ManyRuns {
  readonly client: NativeClient;
  readonly hosts: readonly TargetHost[];
  readonly wishes: RunWishes;
  readonly viewFor: (drop: Drop) => View;
  readonly interruption: Interruption;
  /** At most so many run at once. */
  readonly batch: number;
  /** After so many failures no other machine is begun with. */
  readonly stopAfter: number;
  /** What comes on standard input goes to all of them, which run all at once then. */
  readonly hasInput: boolean;
  /** Once interrupted, so many milliseconds for their ends to be told. */
  readonly confirmTimeoutMs: number;
  readonly onProgress: (running: readonly string[], results: ReadonlyMap<string, HostResult>) => void;
}

export interface ManyEnded {
  /** What came of it on each machine, in their order. */
  readonly results: ReadonlyMap<string, HostResult>;
  /** Closed: all is out that could be. */
  readonly view: View;
}

export async function runOnMany(many: ManyRuns): Promise<ManyEnded> {
  const { hosts, interruption, confirmTimeoutMs } = many;
  const crowd = new Crowd(many);
  let timer: NodeJS.Timeout | undefined;
  // A machine that has stalled says nothing of its end either.
  const unconfirmed = interruption.happened.then(() => {
    crowd.cancel();
    return new Promise<void>((resolve) => (timer = setTimeout(resolve, confirmTimeoutMs)));
  });
  await Promise.race([crowd.run(), unconfirmed]);
  clearTimeout(timer);
  process.stdin.destroy();
  const closed = crowd.view.close();
  await Promise.race([closed, interruption.happened]);
  return { results: new Map(hosts.map(({ name }) => [name, crowd.resultOf(name)])), view: crowd.view };
}

class Crowd {
  readonly view: View;
  readonly #results = new Map<string, HostResult>();
  readonly #many: ManyRuns;
  readonly #runs: Runs;
  readonly #handles = new Map<string, RunHandle>();
  /** Of standard input: who has no room for more. */
  readonly #full = new Set<string>();
  /** Outputs that nobody takes any more. */
  readonly #dropped = new Set<OutputName>();
  readonly #gate = new Gate(MAX_UNANSWERED);
  readonly #together: number;
  /** Machines that have not been asked yet: input is for all of them from its beginning, and waits. */
  #unasked: number;
  #failures = 0;
  #isCancelled = false;

  constructor(many: ManyRuns) {
    this.#many = many;
    this.view = many.viewFor((name, host) => this.#drop(name, host));
    this.#runs = new Runs(many.client);
    this.#together = this.#runs.newTogether();
    this.#unasked = many.hosts.length;
  }

  async run(): Promise<void> {
    const { hosts, batch } = this.#many;
    const waiting = [...hosts];
    const next = async (): Promise<void> => {
      for (let host = this.#mayGoOn ? waiting.shift() : undefined; host !== undefined;) {
        await this.#runOn(host);
        host = this.#mayGoOn ? waiting.shift() : undefined;
      }
    };
    await Promise.all(Array.from({ length: Math.min(batch, hosts.length) }, next));
  }

  resultOf(name: string): HostResult {
    return this.#results.get(name) ?? { result: this.#handles.has(name) ? 'lost' : 'not-started' };
  }

  cancel(): void {
    this.#isCancelled = true;
    this.view.hurry();
    for (const handle of this.#handles.values()) handle.cancel();
  }

  get #mayGoOn(): boolean {
    return !this.#isCancelled && this.#failures < this.#many.stopAfter;
  }

  /** Those that are offline are asked for too: that they were is on record then. */
  async #runOn({ name }: TargetHost): Promise<void> {
    const { wishes, hasInput, onProgress } = this.#many;
    const { view } = this;
    await this.#gate.enter();
    if (!this.#mayGoOn) {
      this.#gate.leave();
      return this.#asked();
    }
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
    for (const output of this.#dropped) handle.dropOutput(output);
    this.#asked();
    onProgress(this.#running, this.#results);
    const ended = await handle.ended;
    this.#handles.delete(name);
    this.#hasRoom(name);
    const result = resultOf(ended);
    this.#settle(name, result, result.result === 'offline' ? `${name} is offline` : reasonOf(ended));
  }

  #settle(name: string, result: HostResult, reason: string | undefined): void {
    this.#results.set(name, result);
    if (!('status' in result) || result.status !== 0) this.#failures += 1;
    this.view.ended(name, result, reason);
    this.#many.onProgress(this.#running, this.#results);
  }

  #drop(name: OutputName, host: string | undefined): void {
    if (host !== undefined) return this.#handles.get(host)?.dropOutput(name);
    this.#dropped.add(name);
    for (const handle of this.#handles.values()) handle.dropOutput(name);
    return undefined;
  }

  get #running(): readonly string[] {
    return [...this.#handles.keys()];
  }

  #asked(): void {
    this.#unasked -= 1;
    if (this.#unasked === 0 && this.#many.hasInput) this.#passOn();
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
export class Gate {
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

export function resultOf(ended: RunEnd): HostResult {
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

export function reasonOf(ended: RunEnd): string | undefined {
  return ended.end === 'refused' ? ended.message : ended.reason;
}
