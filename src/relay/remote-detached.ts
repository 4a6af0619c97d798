// Detached runs on a machine that has joined, at the server's end of its connection. The connection may go; the runs do not.

import type {
  Attaching,
  AttachWishes,
  DetachedEnd,
  DetachedRequest,
  DetachedRunner,
  DetachKey,
  DetachRefusal,
  StartFailed,
} from '../core/run/detached.ts';
import type { KeptOutput } from '../core/run/record.ts';
import { DETACHED, detachedEnded, detachedStarted } from '../protocol/native/methods/detached.ts';
import type { RpcError } from '../protocol/native/rpc.ts';
import { toWireCommand } from './command.ts';
import { fromRunEnded } from './ended.ts';
import type { RemoteRun, Streams } from './remote-run.ts';
import type { Answered } from './remote-runner.ts';
import { Turns } from './turns.ts';

/** What this needs of the connection. */
export interface Channel {
  open(direction: 'in' | 'out'): number;
  ask(method: string, params: object, done: (answer: Answered) => void): void;
  /** Asks for something with streams that ends as a run does. */
  follow(
    method: string,
    params: object,
    given: { readonly streams: Streams; readonly done: (answer: Answered) => void },
  ): RemoteRun;
}

/** At once: a machine takes 64 questions, answers this one when there is a command, and is asked others meanwhile. */
const MAX_STARTING = 32;
/** The same of ends that are waited for or asked for, two for each run where a machine comes back: it answers them at once. */
const MAX_TELLING = 8;
const AWAY = 'the connection to the machine was lost';
const UNSURE = 'the connection to the machine was lost; the record will say whether it was started';

export class RemoteDetached implements DetachedRunner {
  readonly #channel: Channel;
  readonly #awaited = new Map<DetachKey, ((end: DetachedEnd | 'unknown' | 'away') => void)[]>();
  readonly #attached = new Set<RemoteRun>();
  readonly #starts = new Turns(MAX_STARTING);
  /** In their order: a run that is to end is told so before its end is waited for. */
  readonly #tellings = new Turns(MAX_TELLING);

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  start({ key, command, env, cwd, timeoutMs, takesInput, keptBytes, recordsHead }: DetachedRequest) {
    const params = {
      key,
      command: toWireCommand(command),
      env,
      takesInput,
      keptBytes,
      ...(cwd === undefined ? {} : { cwd }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(recordsHead === undefined ? {} : { recordsHead }),
    };
    return new Promise<DetachRefusal | StartFailed | undefined>((resolve) => {
      this.#starts.take((done) => {
        this.#channel.ask(DETACHED.start, params, (answer) => {
          resolve(failureIn(answer) ?? refusalIn(answer, UNSURE));
          done();
        });
      });
    });
  }

  attach(key: DetachKey, { from, givesInput }: AttachWishes): Attaching {
    const streams = {
      stdin: givesInput ? this.#channel.open('out') : 0,
      stdout: this.#channel.open('in'),
      stderr: 0,
    };
    const { promise: attached, resolve } = Promise.withResolvers<DetachRefusal | undefined>();
    const params = { key, from, output: streams.stdout, ...(givesInput ? { input: streams.stdin } : {}) };
    const done = (answer: Answered) => resolve(refusalIn(answer));
    const run = this.#channel.follow(DETACHED.attach, params, { streams, done });
    this.#attached.add(run);
    const ended = run.ended.finally(() => this.#attached.delete(run));
    const leave = () => {
      run.cancel();
      run.stdout.cancel();
    };
    return { attachment: { stdin: run.stdin, output: run.stdout, ended, leave }, attached };
  }

  ended(key: DetachKey): Promise<DetachedEnd | 'unknown' | 'away'> {
    return new Promise((resolve) => {
      this.#awaited.set(key, [...(this.#awaited.get(key) ?? []), resolve]);
      this.#tellings.take((done) => {
        this.#channel.ask(DETACHED.await, { key }, (answer) => {
          if (answer === undefined) this.#tell(key, 'away');
          // Whatever else it refuses this for, it may run it.
          if (answer?.type === 'refusal') this.#tell(key, isUnknown(answer.error) ? 'unknown' : 'away');
          done();
        });
      });
    });
  }

  cancel(key: DetachKey): void {
    this.#tellings.take((done) => this.#channel.ask(DETACHED.cancel, { key }, done));
  }

  told({ method, params }: { readonly method: string; readonly params: unknown }): void {
    const ended = method === DETACHED.ended ? detachedEnded.read(params) : undefined;
    if (ended === undefined) return;
    const { key, stdin, stdout, stderr } = ended;
    const streams = { stdin, stdout: unpacked(stdout), stderr: unpacked(stderr) };
    this.#tell(key, { result: fromRunEnded({ run: 0, ...ended }), streams });
  }

  /** The connection is gone, and why. */
  lose(reason: string): void {
    for (const key of this.#awaited.keys()) this.#tell(key, 'away');
    for (const run of this.#attached) run.cut(reason);
  }

  #tell(key: DetachKey, end: DetachedEnd | 'unknown' | 'away'): void {
    for (const resolve of this.#awaited.get(key) ?? []) resolve(end);
    this.#awaited.delete(key);
  }
}

const CODES = new Set([
  'not-allowed',
  'env-not-allowed',
  'not-kept',
  'input-taken',
  'no-input',
  'too-many-runs',
  'too-many-watchers',
  'no-place',
]);

function failureIn(answer: Answered): StartFailed | undefined {
  const failed = answer?.type === 'answer' ? detachedStarted.read(answer.result)?.failed : undefined;
  return failed && { failed };
}

function refusalIn(answer: Answered, away = AWAY): DetachRefusal | undefined {
  if (answer?.type === 'answer') return undefined;
  return answer === undefined ? { refused: 'away', reason: away } : toRefusal(answer.error);
}

/** A newer program there may have reasons that have no code here; an older one knows nothing of detached runs. */
function toRefusal({ message, data }: RpcError): DetachRefusal {
  const code = data?.code ?? '';
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is one of them
  if (CODES.has(code)) return { refused: code as DetachRefusal['refused'], reason: message };
  const reason = code === UNKNOWN_METHOD ? 'the program that joined there knows no detached runs' : message;
  return { refused: 'refused-there', reason };
}

const UNKNOWN_METHOD = 'unknown-method';

/** Nobody there knows how it ended, if it was ever there. */
function isUnknown({ data }: RpcError): boolean {
  return data?.code === 'not-kept' || data?.code === UNKNOWN_METHOD;
}

function unpacked<Facts extends { readonly head: string; readonly tail: string }>(facts: Facts) {
  const kept: KeptOutput = { head: Buffer.from(facts.head, 'base64'), tail: Buffer.from(facts.tail, 'base64') };
  return { ...facts, ...kept };
}
