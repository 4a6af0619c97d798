// What an entry of the table says: who may ask, how the question is read, and who answers it.

import type { Run, TerminalSize } from '../../core/ports.ts';
import type { Name } from '../../core/name.ts';
import type { Gatherings } from '../../core/run/gatherings.ts';
import type { Member, Role, Session } from '../../core/session.ts';
import type { Peer } from '../../net/peer.ts';
import type { Proven } from '../../net/owner.ts';
import type { Method } from '../../protocol/native/method.ts';
import type { MethodName } from '../../protocol/native/methods.ts';
import type { RpcError } from '../../protocol/native/rpc.ts';
import type { ServedStreams } from '../../relay/served-run.ts';
import { ATTEMPTS } from './attempts.ts';
import type { Ear } from './ear.ts';
import type { House } from './house.ts';
import { refusal, type StreamRefusal } from './translate.ts';

/** Least first; each may what the one before may. `nobody`: a connection that has not shown who it is. */
export const NEEDS = ['nobody', 'guest', 'member', 'operator', 'owner'] as const;
export type Needs = (typeof NEEDS)[number];

/** `after`: to be done once the answer is on its way. */
export type Reply<Result = object> =
  | { readonly result: Result; readonly after?: () => void }
  | { readonly error: RpcError; readonly after?: () => void };
export type Nonces = Pick<Proven, 'clientNonce' | 'serverNonce'>;

/** Who asks: what a connection has shown, and what it can be given. */
export interface Asker {
  readonly peer: Peer;
  readonly house: House;
  readonly ear: Ear;
  /** `nobody` until somebody has come in. */
  readonly role: Role | 'nobody';
  /** Of the challenge that waits for its proof. */
  challenge: Nonces | undefined;
  /** Somebody has come in by the ear; false: the connection has gone meanwhile. */
  comeIn(): boolean;
  /**
   * The connection is a machine's from now on; what is returned is called once that has been told, and asks the first things
   * of it. Undefined: it has gone meanwhile.
   */
  becomeMachine(member: Member, labels: ReadonlyMap<string, string>): (() => void) | undefined;
  /** One more wrong secret; `event` is for the log. `isLast`: after this one the connection is closed. */
  fail(
    error: RpcError,
    event: string,
    options?: { readonly isLast: boolean },
  ): { readonly error: RpcError; readonly after?: () => void };
  refusalToRun(streams: readonly number[]): StreamRefusal | undefined;
  /** Makes the streams of a command that has been started; returns the run's number. */
  add(run: Run, streams: ServedStreams): number;
  /** It never began, or nobody wants it any more: its streams are closed, and its end is not told. */
  abandon(id: number): void;
  /** Which of its starts are one run. */
  readonly gatherings: Gatherings;
  /** False: there is no such run. */
  cancel(id: number, by: Name): boolean;
  /** The same. */
  resize(id: number, size: TerminalSize): boolean;
}

/** Maps are objects on the wire. */
type OnWire<Value> =
  Value extends ReadonlyMap<string, infer Entry>
    ? Readonly<Record<string, OnWire<Entry>>>
    : Value extends readonly (infer Item)[]
      ? readonly OnWire<Item>[]
      : Value extends object
        ? { readonly [Key in keyof Value]: OnWire<Value[Key]> }
        : Value;

export interface Entry {
  readonly method: Method<unknown, unknown>;
  readonly needs: Needs;
  /** In a sentence, for `rpc.discover`. */
  readonly summary: string;
  /** Nothing else is read until it is answered: what comes next may depend on it, or cost as much. */
  readonly holds: boolean;
  readonly answer: (asker: Asker, params: unknown) => Reply | Promise<Reply>;
}

export type Entries<Name extends MethodName> = Readonly<Record<Name, Entry>>;

interface Answering<Params, Result> {
  readonly needs: Needs;
  readonly summary: string;
  readonly holds?: boolean;
  readonly answer: (asker: Asker, params: Params) => Reply<OnWire<Result>> | Promise<Reply<OnWire<Result>>>;
}

export function entry<Params extends object, Result extends object>(
  method: Method<Params, Result>,
  { needs, summary, holds = false, answer }: Answering<Params, Result>,
): Entry {
  return {
    method,
    needs,
    summary,
    holds,
    answer: (asker, given) => {
      const params = method.parseParams(given);
      if ('bad' in params) return { error: refusal('bad-params', `${ATTEMPTS[method.name]}: ${params.bad}`) };
      return answer(asker, params);
    },
  };
}

/** Who asks, where the table has let nobody else through. */
export function sessionOf({ ear }: Asker): Session {
  if (ear.session === undefined) throw new Error('Nobody has come in, and the table let it through');
  return ear.session;
}
