// What a joined machine does for its server: starts what it is asked to, and ends it when the server asks, is gone, or
// has been silent for the length of the lease.

import type { Run, RunCommand, Runner, RunRequest } from '../core/ports.ts';
import type { DetachedEnd, DetachRefusal } from '../core/run/detached.ts';
import { A_LOGIN_SHELL, isLoginShell } from '../core/run/login-shell.ts';
import type { Asked, NativeClient, Serving } from '../client/native.ts';
import type { DetachedRuns } from '../detached/detached-runs.ts';
import type { NativeConnection } from '../protocol/native/connection.ts';
import { LEASE_MS } from '../protocol/native/limits.ts';
import { METHODS } from '../protocol/native/methods.ts';
import { DETACHED, detachedAttach, detachedKey, detachedStart } from '../protocol/native/methods/detached.ts';
import { parseRunCancel, runResize, runStart, type RunStart } from '../protocol/native/methods/run.ts';
import type { Pump } from '../protocol/native/pump.ts';
import { rpcError, type Id, type RpcError } from '../protocol/native/rpc.ts';
import { quote } from '../protocol/text.ts';
import { asRun } from '../relay/attached.ts';
import { toRunCommand } from '../relay/command.ts';
import { toDetachedEnded } from '../relay/ended.ts';
import { passOn } from '../relay/environment.ts';
import { ServedRun, type ServedStreams } from '../relay/served-run.ts';
import { allowed, type PolicyInForce } from './policy.ts';

export interface ServingOptions {
  readonly client: NativeClient;
  readonly runner: Runner;
  readonly detached: DetachedRuns;
  readonly policy: PolicyInForce;
  /** The command was not started: the policy does not list it, or not `where`, which may be empty. */
  readonly onDenied: (command: string, where: string) => void;
  readonly leaseMs?: number;
  /** With each command: what the server says its records of runs end with. */
  readonly onRecordsHead: (head: string) => void;
}

interface Served {
  readonly start: () => Run;
  /** Its number may go with its end, if that comes at once. */
  readonly mayHoldNumber: boolean;
}

/**
 * Starts whose number waits for the end. Each is a request without an answer, of which a connection takes 64: the others are
 * for what the server asks meanwhile, its ping first of all.
 */
const MAX_HELD_NUMBERS = 16;

type Permitted = Pick<RunRequest, 'command' | 'env'>;

const LISTED_BY = 'env in its policy, or partyline join --allow-env';
/** UTF-16 units of a command that was not allowed, where it is told. */
const MAX_TOLD_LENGTH = 120;

function quotedText(command: RunCommand): string {
  return quote(command.kind === 'shell' ? command.line : command.argv.join(' '), MAX_TOLD_LENGTH);
}

/** Why a run cannot have the streams that were named for it. */
const NO_STREAMS = {
  'stream-number': 'the streams are not numbered as they must be',
  'too-many-streams': 'the machine has too many commands running',
} as const;

/**
 * Holds what is asked until what is returned is called; then serves, that first, until the connection is gone. A server asks
 * nothing before it has accepted the machine; of another one the connection takes its 64 requests without an answer, and
 * no stream is open on which more could come.
 */
export function serveOnceAccepted(options: ServingOptions): () => void {
  const { client } = options;
  const early: Asked[] = [];
  client.serve({
    onAsked(event) {
      early.push(event);
    },
    onDrain() {},
  });
  return () => {
    const serving = new MachineServing(options);
    void client.gone.then(() => serving.gone());
    for (const event of early) serving.onAsked(event);
    serving.settle();
  };
}

class MachineServing implements Serving {
  readonly #options: ServingOptions;
  readonly #connection: NativeConnection;
  readonly #pump: Pump;
  readonly #runs = new Map<number, ServedRun>();
  readonly #runOfStream = new Map<number, ServedRun>();
  readonly #lease: NodeJS.Timeout;
  /**
   * Who is to tell how a run ended. They are let go of with the connection: a run of weeks would keep every connection
   * otherwise by which it was ever asked about.
   */
  readonly #awaited = new Set<(end: DetachedEnd | 'unknown') => void>();
  #lastRun = 0;
  #heldNumbers = 0;

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
      case METHODS.runResize:
        return this.#resize(event.id, event.params);
      case DETACHED.start:
        return this.#detach(event.id, event.params);
      case DETACHED.attach:
        return this.#attach(event.id, event.params);
      case DETACHED.await:
        return this.#await(event.id, event.params);
      case DETACHED.cancel:
        return this.#cancelDetached(event.id, event.params);
      default:
        return this.#refuse(event.id, rpcError('method', { code: 'unknown-method' }, 'A machine only runs commands'));
    }
  }

  /** Sends what has been answered; whoever calls while an event is told need not. */
  settle(): void {
    this.#pump.settle();
  }

  onDrain(): void {
    for (const run of this.#runs.values()) run.update();
  }

  #start(id: Id, params: unknown): void {
    const asked = runStart.parseParams(params);
    if ('bad' in asked) return this.#refuse(id, rpcError('params', { code: 'bad-params' }, asked.bad));
    const { cwd, terminal, timeoutMs, stdin, stdout, stderr } = asked;
    const permitted = this.#permitted(id, asked);
    if (permitted === undefined) return undefined;
    const streams = { stdin, stdout, stderr };
    const start = () =>
      this.#options.runner.start({
        ...permitted,
        ...(cwd === undefined ? {} : { cwd }),
        ...(terminal === undefined ? {} : { terminal }),
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      });
    this.#serve(id, streams, { start, mayHoldNumber: true });
    return undefined;
  }

  /** What is to be run, and with what environment; undefined: that has been refused. */
  #permitted(id: Id, asked: Omit<RunStart, 'stdin' | 'stdout' | 'stderr'>): Permitted | undefined {
    const { command: given, env = {}, cwd, terminal, recordsHead } = asked;
    if ('verb' in given) {
      this.#refuse(id, rpcError('params', { code: 'bad-params' }, 'a verb is spelled out by the server'));
      return undefined;
    }
    const { onDenied, onRecordsHead } = this.#options;
    const policy = this.#options.policy.current;
    if (recordsHead !== undefined) onRecordsHead(recordsHead);
    const wanted = toRunCommand(given);
    const command = allowed(policy, wanted, { cwd, hasTerminal: terminal !== undefined });
    if (command === undefined) {
      const told = isLoginShell(wanted) ? A_LOGIN_SHELL : quotedText(wanted);
      const place = cwd === undefined ? '' : ` in ${quote(cwd, MAX_TOLD_LENGTH)}`;
      const where = `${place}${terminal === undefined ? '' : ' in a terminal'}`;
      onDenied(told, where);
      const why = `Cannot run ${told}${where}: the machine's own policy does not allow it; nothing was started there`;
      this.#refuse(id, rpcError('refused', { code: 'not-allowed' }, why));
      return undefined;
    }
    const passed = passOn(env, { wider: policy.env, host: 'the machine', listedBy: LISTED_BY });
    if (!('error' in passed)) return { command, env: passed.env };
    this.#refuse(id, passed.error);
    return undefined;
  }

  #serve(id: Id, streams: ServedStreams, { start, mayHoldNumber }: Served): boolean {
    const named = [streams.stdin, streams.stdout, streams.stderr].filter((stream) => stream !== undefined);
    const cannot = this.#connection.refusalToAccept(named);
    if (cannot !== undefined) {
      this.#refuse(id, rpcError('refused', { code: cannot }, NO_STREAMS[cannot]));
      return false;
    }
    const number = ++this.#lastRun;
    const answer = () => this.#connection.respond(id, { run: number });
    const isNumberHeld = mayHoldNumber && this.#heldNumbers < MAX_HELD_NUMBERS;
    if (isNumberHeld) this.#heldNumbers += 1;
    const answerHeld = () => {
      this.#heldNumbers -= 1;
      answer();
    };
    const served = new ServedRun({
      id: number,
      run: start(),
      streams,
      connection: this.#connection,
      pump: this.#pump,
      onEnded: () => this.#forget(served),
      onNumbered: isNumberHeld ? answerHeld : undefined,
    });
    this.#runs.set(number, served);
    for (const stream of served.streams) this.#runOfStream.set(stream, served);
    if (!isNumberHeld) answer();
    return true;
  }

  // ── those that outlive the connection ──

  #detach(id: Id, params: unknown): void {
    const asked = detachedStart.parse(params);
    if ('bad' in asked) return this.#refuse(id, rpcError('params', { code: 'bad-params' }, asked.bad));
    const { key, env, cwd, timeoutMs, takesInput, keptBytes } = asked;
    const permitted = this.#permitted(id, { ...asked, env: Object.fromEntries(env) });
    if (permitted === undefined) return undefined;
    const request = {
      key,
      ...permitted,
      takesInput,
      keptBytes,
      ...(cwd === undefined ? {} : { cwd }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    };
    void this.#options.detached.start(request).then((answer) => {
      if (answer !== undefined && 'refused' in answer) this.#refuseDetached(id, answer);
      else this.#connection.respond(id, answer ?? {});
      this.#pump.settle();
    });
    return undefined;
  }

  #attach(id: Id, params: unknown): void {
    const asked = detachedAttach.parse(params);
    if ('bad' in asked) return this.#refuse(id, rpcError('params', { code: 'bad-params' }, asked.bad));
    const { key, from, input, output } = asked;
    const found = this.#options.detached.attach(key, { from, givesInput: input !== undefined });
    if ('refused' in found) return this.#refuseDetached(id, found);
    const streams = { stdout: output, ...(input === undefined ? {} : { stdin: input }) };
    const start = () => asRun(found.attachment);
    // Whoever asked for it waits for the answer.
    if (!this.#serve(id, streams, { start, mayHoldNumber: false })) found.attachment.leave();
    return undefined;
  }

  /** Its end is told when it has come, on this connection. */
  #await(id: Id, params: unknown): void {
    const asked = detachedKey.parse(params);
    if ('bad' in asked) return this.#refuse(id, rpcError('params', { code: 'bad-params' }, asked.bad));
    const { key } = asked;
    const { promise: told, resolve } = Promise.withResolvers<DetachedEnd | 'unknown'>();
    this.#awaited.add(resolve);
    void this.#options.detached.ended(key).then(resolve);
    void told.then((end) => {
      this.#awaited.delete(resolve);
      if (typeof end !== 'string') this.#connection.notify(DETACHED.ended, toDetachedEnded(key, end));
      this.#pump.settle();
    });
    if (this.#options.detached.knows(key)) return this.#connection.respond(id, {});
    return this.#refuse(id, rpcError('refused', { code: 'not-kept' }, 'nothing is known of it here'));
  }

  #cancelDetached(id: Id, params: unknown): void {
    const asked = detachedKey.parse(params);
    if ('bad' in asked) return this.#refuse(id, rpcError('params', { code: 'bad-params' }, asked.bad));
    this.#options.detached.cancel(asked.key);
    return this.#connection.respond(id, {});
  }

  #refuseDetached(id: Id, { refused: code, reason }: DetachRefusal): void {
    this.#refuse(id, rpcError('refused', { code }, reason));
  }

  #cancel(id: Id, params: unknown): void {
    const asked = parseRunCancel(params);
    if ('bad' in asked) return this.#refuse(id, rpcError('params', { code: 'bad-params' }, asked.bad));
    // One that ended meanwhile is no mistake.
    this.#runs.get(asked.run)?.cancel();
    return this.#connection.respond(id, {});
  }

  #resize(id: Id, params: unknown): void {
    const asked = runResize.parseParams(params);
    if ('bad' in asked) return this.#refuse(id, rpcError('params', { code: 'bad-params' }, asked.bad));
    const { run, ...size } = asked;
    this.#runs.get(run)?.resize(size);
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
    for (const settle of this.#awaited) settle('unknown');
  }
}
