// What a joined machine does for its server: starts what it is asked to, and ends it when the server asks, is gone, or
// has been silent for the length of the lease.

import type { RunCommand, Runner } from '../core/ports.ts';
import { allowedEnvironment } from '../core/run/environment.ts';
import type { Asked, NativeClient, Serving } from '../client/native.ts';
import type { NativeConnection } from '../protocol/native/connection.ts';
import { LEASE_MS } from '../protocol/native/limits.ts';
import { METHODS } from '../protocol/native/methods.ts';
import { parseRunCancel, runStart } from '../protocol/native/methods/run.ts';
import type { Pump } from '../protocol/native/pump.ts';
import { rpcError, type Id, type RpcError } from '../protocol/native/rpc.ts';
import { quote } from '../protocol/text.ts';
import { ServedRun } from '../relay/served-run.ts';
import { allowed, type HostPolicy } from './policy.ts';

export interface ServingOptions {
  readonly client: NativeClient;
  readonly runner: Runner;
  readonly policy: HostPolicy;
  /** The command was not started: the policy does not list it. */
  readonly onDenied: (command: string) => void;
  readonly leaseMs?: number;
  /** With each command: what the server says its records of runs end with. */
  readonly onRecordsHead: (head: string) => void;
}

/** UTF-16 units of a command that was not allowed, where it is told. */
const MAX_TOLD_LENGTH = 120;

/** Serves from now on, until the connection is gone. */
export function serveRuns(options: ServingOptions): void {
  const serving = new MachineServing(options);
  void options.client.gone.then(() => serving.gone());
}

class MachineServing implements Serving {
  readonly #options: ServingOptions;
  readonly #connection: NativeConnection;
  readonly #pump: Pump;
  readonly #runs = new Map<number, ServedRun>();
  readonly #runOfStream = new Map<number, ServedRun>();
  readonly #lease: NodeJS.Timeout;
  #lastRun = 0;

  constructor(options: ServingOptions) {
    const { client, leaseMs = LEASE_MS } = options;
    this.#options = options;
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
    const { command: given, env = {}, timeoutMs, recordsHead, stdin, stdout, stderr } = asked;
    if ('verb' in given) {
      return this.#refuse(id, rpcError('params', { code: 'bad-params' }, 'a verb is spelled out by the server'));
    }
    const { runner, policy, onDenied, onRecordsHead } = this.#options;
    if (recordsHead !== undefined) onRecordsHead(recordsHead);
    const wanted: RunCommand =
      'shell' in given ? { kind: 'shell', line: given.shell } : { kind: 'argv', argv: given.argv };
    const command = allowed(policy, wanted);
    if (command === undefined) {
      const told = quote(wanted.kind === 'shell' ? wanted.line : wanted.argv.join(' '), MAX_TOLD_LENGTH);
      onDenied(told);
      const why = `Cannot run ${told}: the machine's own policy does not allow it; nothing was started there`;
      return this.#refuse(id, rpcError('refused', { code: 'not-allowed' }, why));
    }
    const streams = { stdin, stdout, stderr };
    const cannot = this.#connection.refusalToAccept(Object.values(streams));
    if (cannot !== undefined) {
      return this.#refuse(id, rpcError('refused', { code: cannot }, 'the machine has too many commands running'));
    }
    const run = runner.start({
      command,
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
