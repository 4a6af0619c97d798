// Commands on a machine that has joined: the core's port `Runner` at this end of its connection, and what comes back from
// there told to the runs it is about.

import type { Runner, RunRequest, TerminalSize } from '../core/ports.ts';
import type { NativeConnection, NativeEvent } from '../protocol/native/connection.ts';
import { METHODS } from '../protocol/native/methods.ts';
import { parseRunEnded, parseRunStarted, RUN_ENDED, type RunStart } from '../protocol/native/methods/run.ts';
import { toWireCommand } from './command.ts';
import { fromRunEnded } from './ended.ts';
import { RemoteDetached } from './remote-detached.ts';
import { type Far, RemoteRun, type Streams } from './remote-run.ts';

/** Undefined: the connection is gone. */
export type Answered = Extract<NativeEvent, { type: 'answer' | 'refusal' }> | undefined;

type Asked =
  | { readonly what: 'start'; readonly run: RemoteRun; readonly done: ((answer: Answered) => void) | undefined }
  | { readonly what: 'cancel' | 'resize' | 'ping' }
  | { readonly what: 'other'; readonly done: (answer: Answered) => void };

export class RemoteRunner implements Pick<Runner, 'start'> {
  readonly detached: RemoteDetached;
  readonly #far: Far;
  readonly #asked = new Map<number, Asked>();
  readonly #ofStream = new Map<number, RemoteRun>();
  /** By the number that the other end gave. */
  readonly #running = new Map<number, RemoteRun>();
  readonly #all = new Set<RemoteRun>();
  /** Asked to end before the other end had given a number. */
  readonly #condemned = new Set<RemoteRun>();
  /** New sizes, until the other end has given a number. */
  readonly #sizes = new Map<RemoteRun, TerminalSize>();
  #tellPong: (() => void) | undefined;
  readonly #onIdle: () => void;
  /** Why the connection is gone: what is still started is lost at once. */
  #lost: string | undefined;

  /** `onIdle` is called when nothing runs there any more. */
  constructor(far: Far, onIdle: () => void = () => {}) {
    this.#far = far;
    this.#onIdle = onIdle;
    this.detached = new RemoteDetached({
      open: (direction) => opened(far.connection, direction),
      ask: (method, params, done) => this.#ask(method, params, { what: 'other', done }),
      follow: (method, params, { streams, done }) => {
        const run = this.#follow(streams);
        this.#ask(method, params, { what: 'start', run, done });
        return run;
      },
    });
  }

  start({ command, env, cwd, terminal, timeoutMs, recordsHead }: RunRequest): RemoteRun {
    const { connection } = this.#far;
    const streams = {
      stdin: opened(connection, 'out'),
      stdout: opened(connection, 'in'),
      stderr: opened(connection, 'in'),
    };
    const run = this.#follow(streams);
    const wishes = {
      command: toWireCommand(command),
      env,
      ...(cwd === undefined ? {} : { cwd }),
      ...(terminal === undefined ? {} : { terminal }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(recordsHead === undefined ? {} : { recordsHead }),
    };
    this.#ask(METHODS.runStart, { ...wishes, ...streams } satisfies RunStart, { what: 'start', run, done: undefined });
    return run;
  }

  /** Asks whether the other end is there. `done` is called when it says so. */
  ping(done: () => void): void {
    this.#tellPong = done;
    this.#ask(METHODS.ping, {}, { what: 'ping' });
  }

  receive(event: NativeEvent): void {
    switch (event.type) {
      case 'answer':
      case 'refusal':
        return this.#answered(event);
      case 'notification':
        return event.method === RUN_ENDED ? this.#ended(event.params) : this.detached.told(event);
      case 'data':
      case 'end':
      case 'drain':
      case 'reset':
        return this.#ofStream.get(event.stream)?.receive(event);
      case 'finished':
      case 'request':
      case 'failed':
    }
  }

  get isIdle(): boolean {
    return this.#all.size === 0;
  }

  /** The connection takes bytes again. */
  update(): void {
    for (const run of this.#all) run.update();
  }

  /** The connection is gone, and why. The other end has ended what ran over it, or does so when its lease is over. */
  lose(reason: string): void {
    this.#lost = reason;
    for (const asked of this.#asked.values()) if ('done' in asked) asked.done?.(undefined);
    this.#asked.clear();
    this.detached.lose(reason);
    for (const run of this.#all) run.lose(`${reason}, and what was running there is being ended`);
  }

  #ask(method: string, params: object, asked: Asked): void {
    if (this.#lost !== undefined) {
      if ('done' in asked) asked.done?.(undefined);
      if ('run' in asked) asked.run.lose(this.#lost);
      return;
    }
    this.#asked.set(this.#far.connection.request(method, params), asked);
    this.#far.settle();
  }

  #follow(streams: Streams): RemoteRun {
    const run: RemoteRun = new RemoteRun({
      far: this.#far,
      streams,
      onCancel: () => this.#cancel(run),
      onResize: (size) => this.#resize(run, size),
      onEnded: () => {
        this.#sizes.delete(run);
        this.#condemned.delete(run);
        this.#all.delete(run);
        for (const stream of run.streams) this.#ofStream.delete(stream);
        if (this.isIdle) this.#onIdle();
      },
    });
    this.#all.add(run);
    for (const stream of run.streams) this.#ofStream.set(stream, run);
    return run;
  }

  #answered(event: NonNullable<Answered>): void {
    const asked = this.#asked.get(event.id);
    this.#asked.delete(event.id);
    if (asked?.what === 'ping') return this.#tellPong?.();
    if (asked === undefined || !('done' in asked)) return undefined;
    asked.done?.(event);
    if (asked.what === 'other') return undefined;
    const { run } = asked;
    if (event.type === 'refusal') {
      // It has none of them: here they would stay for as long as the machine does.
      for (const stream of run.streams) this.#far.connection.forget(stream);
      return run.deny(event.error.message);
    }
    const started = parseRunStarted(event.result);
    if (started === undefined) return run.lose('the machine answered in a way not known here');
    this.#running.set(started.run, run);
    if (this.#condemned.delete(run)) this.#askToCancel(started.run);
    const size = this.#sizes.get(run);
    if (size !== undefined) this.#askToResize(started.run, size);
    this.#sizes.delete(run);
    return undefined;
  }

  #ended(params: unknown): void {
    const ended = parseRunEnded(params);
    if (ended === undefined) return;
    this.#running.get(ended.run)?.end(fromRunEnded(ended));
    this.#running.delete(ended.run);
  }

  #cancel(run: RemoteRun): void {
    for (const [id, running] of this.#running) if (running === run) return this.#askToCancel(id);
    this.#condemned.add(run);
  }

  #resize(run: RemoteRun, size: TerminalSize): void {
    for (const [id, running] of this.#running) if (running === run) return this.#askToResize(id, size);
    this.#sizes.set(run, size);
  }

  #askToResize(run: number, size: TerminalSize): void {
    this.#ask(METHODS.runResize, { run, ...size }, { what: 'resize' });
  }

  #askToCancel(run: number): void {
    this.#ask(METHODS.runCancel, { run }, { what: 'cancel' });
  }
}

function opened(connection: NativeConnection, direction: 'in' | 'out'): number {
  const stream = connection.nextStream();
  connection.open(stream, direction);
  return stream;
}
