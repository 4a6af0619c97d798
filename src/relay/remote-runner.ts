// Commands on a machine that has joined: the core's port `Runner` at this end of its connection, and what comes back from
// there told to the runs it is about.

import type { Run, RunCommand, Runner, RunRequest } from '../core/ports.ts';
import type { NativeConnection, NativeEvent } from '../protocol/native/connection.ts';
import { METHODS } from '../protocol/native/methods.ts';
import { parseRunEnded, parseRunStarted, RUN_ENDED, type RunStart } from '../protocol/native/methods/run.ts';
import { fromRunEnded } from './ended.ts';
import { type Far, RemoteRun } from './remote-run.ts';

type Asked = { readonly what: 'start'; readonly run: RemoteRun } | { readonly what: 'cancel' | 'ping' };

export class RemoteRunner implements Pick<Runner, 'start'> {
  readonly #far: Far;
  readonly #asked = new Map<number, Asked>();
  readonly #ofStream = new Map<number, RemoteRun>();
  /** By the number that the other end gave. */
  readonly #running = new Map<number, RemoteRun>();
  readonly #all = new Set<RemoteRun>();
  /** Asked to end before the other end had given a number. */
  readonly #condemned = new Set<RemoteRun>();
  #tellPong: (() => void) | undefined;

  constructor(far: Far) {
    this.#far = far;
  }

  start({ command, env, timeoutMs, recordsHead }: RunRequest): Run {
    const { connection } = this.#far;
    const streams = {
      stdin: opened(connection, 'out'),
      stdout: opened(connection, 'in'),
      stderr: opened(connection, 'in'),
    };
    const run: RemoteRun = new RemoteRun({
      far: this.#far,
      streams,
      onCancel: () => this.#cancel(run),
      onEnded: () => {
        this.#all.delete(run);
        for (const stream of Object.values(streams)) this.#ofStream.delete(stream);
      },
    });
    this.#all.add(run);
    for (const stream of Object.values(streams)) this.#ofStream.set(stream, run);
    const wishes = {
      command: toWire(command),
      env,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(recordsHead === undefined ? {} : { recordsHead }),
    };
    const id = connection.request(METHODS.runStart, { ...wishes, ...streams } satisfies RunStart);
    this.#asked.set(id, { what: 'start', run });
    this.#far.settle();
    return run;
  }

  /** Asks whether the other end is there. `done` is called when it says so. */
  ping(done: () => void): void {
    this.#tellPong = done;
    this.#asked.set(this.#far.connection.request(METHODS.ping, {}), { what: 'ping' });
    this.#far.settle();
  }

  receive(event: NativeEvent): void {
    switch (event.type) {
      case 'answer':
      case 'refusal':
        return this.#answered(event);
      case 'notification':
        return event.method === RUN_ENDED ? this.#ended(event.params) : undefined;
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

  /** The connection takes bytes again. */
  update(): void {
    for (const run of this.#all) run.update();
  }

  /** The connection is gone. */
  lose(reason: string): void {
    for (const run of this.#all) run.lose(reason);
  }

  #answered(event: Extract<NativeEvent, { type: 'answer' | 'refusal' }>): void {
    const asked = this.#asked.get(event.id);
    this.#asked.delete(event.id);
    if (asked?.what === 'ping') return this.#tellPong?.();
    if (asked?.what !== 'start') return undefined;
    const { run } = asked;
    if (event.type === 'refusal') {
      const { message, data } = event.error;
      return data?.code === 'not-allowed' ? run.deny(message) : run.lose(message);
    }
    const started = parseRunStarted(event.result);
    if (started === undefined) return run.lose('the machine answered in a way not known here');
    this.#running.set(started.run, run);
    if (this.#condemned.delete(run)) this.#askToCancel(started.run);
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

  #askToCancel(run: number): void {
    this.#asked.set(this.#far.connection.request(METHODS.runCancel, { run }), { what: 'cancel' });
    this.#far.settle();
  }
}

function opened(connection: NativeConnection, direction: 'in' | 'out'): number {
  const stream = connection.nextStream();
  connection.open(stream, direction);
  return stream;
}

function toWire(command: RunCommand): RunStart['command'] {
  return command.kind === 'shell' ? { shell: command.line } : { argv: command.argv };
}
