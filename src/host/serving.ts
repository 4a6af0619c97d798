// What a joined machine does for its server: starts what it is asked to, and ends it when the server asks, is gone, or
// has been silent for the length of the lease.

import type { Runner } from '../core/ports.ts';
import { allowedEnvironment } from '../core/run/environment.ts';
import type { Asked, NativeClient, Serving } from '../client/native.ts';
import type { NativeConnection } from '../protocol/native/connection.ts';
import { LEASE_MS } from '../protocol/native/limits.ts';
import { METHODS } from '../protocol/native/methods.ts';
import { parseRunCancel, runStart } from '../protocol/native/methods/run.ts';
import type { Pump } from '../protocol/native/pump.ts';
import { rpcError, type Id, type RpcError } from '../protocol/native/rpc.ts';
import { ServedRun } from '../relay/served-run.ts';

export interface ServingOptions {
  readonly client: NativeClient;
  readonly runner: Runner;
  readonly leaseMs?: number;
  /** What the server says its records of runs end with. */
  readonly onRecordsHead?: (head: string) => void;
}

/** Serves from now on, until the connection is gone. */
export function serveRuns(options: ServingOptions): void {
  const serving = new MachineServing(options);
  void options.client.gone.then(() => serving.gone());
}

class MachineServing implements Serving {
  readonly #runner: Runner;
  readonly #onRecordsHead: ((head: string) => void) | undefined;
  readonly #connection: NativeConnection;
  readonly #pump: Pump;
  readonly #runs = new Map<number, ServedRun>();
  readonly #runOfStream = new Map<number, ServedRun>();
  readonly #lease: NodeJS.Timeout;
  #lastRun = 0;

  constructor({ client, runner, leaseMs = LEASE_MS, onRecordsHead }: ServingOptions) {
    this.#runner = runner;
    this.#onRecordsHead = onRecordsHead;
    const { connection, pump } = client.serve(this);
    this.#connection = connection;
    this.#pump = pump;
    this.#lease = setTimeout(() => client.destroy(), leaseMs);
  }

  onAsked(event: Asked): void {
    this.#lease.refresh();
    if (event.type !== 'request') return this.#runOfStream.get(event.stream)?.receive(event);
    switch (event.method) {
      case METHODS.ping:
        return this.#connection.respond(event.id, {});
      case METHODS.runStart:
        return this.#start(event.id, event.params);
      case METHODS.runCancel:
        return this.#cancel(event.id, event.params);
      default:
        return this.#refuse(event.id, rpcError('method', { code: 'unknown-method' }, 'A machine only runs commands'));
    }
  }

  onDrain(): void {
    for (const run of this.#runs.values()) run.update();
  }

  #start(id: Id, params: unknown): void {
    const asked = runStart.parseParams(params);
    if ('bad' in asked) return this.#refuse(id, rpcError('params', { code: 'bad-params' }, asked.bad));
    const { command, env = {}, timeoutMs, stdin, stdout, stderr } = asked;
    const streams = { stdin, stdout, stderr };
    const cannot = this.#connection.refusalToAccept(Object.values(streams));
    if (cannot !== undefined) {
      return this.#refuse(id, rpcError('refused', { code: cannot }, 'the machine has too many commands running'));
    }
    if (asked.recordsHead !== undefined) this.#onRecordsHead?.(asked.recordsHead);
    const run = this.#runner.start({
      command: 'shell' in command ? { kind: 'shell', line: command.shell } : { kind: 'argv', argv: command.argv },
      env: allowedEnvironment(env),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
    const number = ++this.#lastRun;
    const served = new ServedRun({
      id: number,
      run,
      streams,
      connection: this.#connection,
      pump: this.#pump,
      onEnded: () => this.#forget(served),
    });
    this.#runs.set(number, served);
    for (const stream of served.streams) this.#runOfStream.set(stream, served);
    this.#connection.respond(id, { run: number });
  }

  #cancel(id: Id, params: unknown): void {
    const asked = parseRunCancel(params);
    if ('bad' in asked) return this.#refuse(id, rpcError('params', { code: 'bad-params' }, asked.bad));
    // One that ended meanwhile is no mistake.
    this.#runs.get(asked.run)?.cancel();
    return this.#connection.respond(id, {});
  }

  #refuse(id: Id, error: RpcError): void {
    this.#connection.refuse(id, error);
  }

  #forget(run: ServedRun): void {
    this.#runs.delete(run.id);
    for (const [stream, owner] of this.#runOfStream) if (owner === run) this.#runOfStream.delete(stream);
  }

  /** Nobody could end them any more. */
  gone(): void {
    clearTimeout(this.#lease);
    for (const run of this.#runs.values()) run.abandon();
  }
}
