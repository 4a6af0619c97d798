// What a client may ask, and of whom it is taken: a table, denying by default. Nothing is done for a connection that
// lacks the role an entry names, and nothing that has no entry.

import type { Run } from '../../core/ports.ts';
import { refusalToRun } from '../../core/run/policy.ts';
import { allowedEnvironment } from '../../core/run/environment.ts';
import type { Role } from '../../core/session.ts';
import { newNonce, type Proven } from '../../net/owner.ts';
import type { Peer } from '../../net/peer.ts';
import {
  METHODS,
  parseNonce,
  parseProof,
  parseRunCancel,
  parseRunStart,
  type BadParams,
  type RunStart,
} from '../../protocol/native/methods.ts';
import type { RpcError } from '../../protocol/native/rpc.ts';
import { quote } from '../../protocol/text.ts';
import { announceCommand } from '../announce.ts';
import type { House } from './house.ts';
import { refusal, toHosts, toRunCommand, wordsForRun, wordsForStreams, type StreamRefusal } from './translate.ts';

export type Reply = { result: object } | { error: RpcError };
export type Nonces = Pick<Proven, 'clientNonce' | 'serverNonce'>;
export type RunStreams = Pick<RunStart, 'stdin' | 'stdout' | 'stderr'>;

/** Who asks: what a connection has shown, and what it can be given. */
export interface Asker {
  readonly peer: Peer;
  readonly house: House;
  readonly role: Role;
  /** Of the challenge that waits for its proof. */
  challenge: Nonces | undefined;
  becomeOwner(): void;
  refusalToRun(streams: readonly number[]): StreamRefusal | undefined;
  /** Makes the streams of a command that has been started; returns the run's number. */
  add(run: Run, streams: RunStreams): number;
  /** False: there is no such run. */
  cancel(id: number): boolean;
}

export interface Handler {
  /** `nobody`: taken from a connection that has not shown who it is. */
  readonly needs: 'nobody' | 'owner';
  handle(session: Asker, params: unknown): Reply;
}

export const HANDLERS: Readonly<Record<(typeof METHODS)[keyof typeof METHODS], Handler>> = {
  ping: { needs: 'nobody', handle: () => ({ result: {} }) },
  'owner.challenge': { needs: 'nobody', handle: challenge },
  'owner.prove': { needs: 'nobody', handle: prove },
  'run.start': { needs: 'owner', handle: startRun },
  'run.cancel': { needs: 'owner', handle: cancelRun },
};

const TABLE = new Map<string, Handler>(Object.entries(HANDLERS));

export function answer(session: Asker, method: string, params: unknown): Reply {
  const handler = TABLE.get(method);
  if (handler === undefined) return no('unknown-method', `There is no method ${quote(method)}`);
  if (handler.needs === 'owner' && session.role !== 'owner') {
    return no('not-allowed', `Cannot do ${method}: only the owner may, and this connection has not shown that it is`);
  }
  return handler.handle(session, params);
}

/** The server proves first: a client that was led to somebody else stops here, having told nothing. */
function challenge(session: Asker, params: unknown): Reply {
  if (!session.peer.isLoopback) return notLoopback();
  const given = parseNonce(params);
  if ('bad' in given) return bad(METHODS.ownerChallenge, given);
  const nonces = { clientNonce: given.nonce, serverNonce: newNonce() };
  session.challenge = nonces;
  const proof = session.house.token.prove(proven(session, 'server', nonces));
  return { result: { nonce: nonces.serverNonce, proof } };
}

/** One attempt for each challenge. */
function prove(session: Asker, params: unknown): Reply {
  if (!session.peer.isLoopback) return notLoopback();
  const given = parseProof(params);
  if ('bad' in given) return bad(METHODS.ownerProve, given);
  const nonces = session.challenge;
  session.challenge = undefined;
  if (nonces === undefined) return no('no-challenge', 'Cannot check the proof: owner.challenge comes first');
  if (!session.house.token.verify(given.proof, proven(session, 'client', nonces))) {
    session.house.log.warn('wrong owner proof', { address: session.peer.address, port: session.peer.port });
    return no('wrong-proof', 'Cannot take this connection for the owner: the proof is wrong');
  }
  session.becomeOwner();
  return { result: { name: session.house.ownerName, role: 'owner' } };
}

function startRun(session: Asker, params: unknown): Reply {
  const given = parseRunStart(params);
  if ('bad' in given) return bad(METHODS.runStart, given);
  const { house, peer, role } = session;
  const refused = refusalToRun({ role, hosts: toHosts(given.on), serverName: house.serverName });
  if (refused !== undefined) return { error: wordsForRun(refused, house.serverName) };
  const streams = { stdin: given.stdin, stdout: given.stdout, stderr: given.stderr };
  const cannot = session.refusalToRun([streams.stdin, streams.stdout, streams.stderr]);
  if (cannot !== undefined) return { error: wordsForStreams(cannot) };
  const command = toRunCommand(given.command);
  const { timeoutMs } = given;
  const who = { by: house.ownerName, address: peer.address, host: house.serverName };
  house.log.tell(announceCommand(command, who));
  const env = allowedEnvironment(given.env ?? {});
  const run = house.runner.start({ command, env, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
  return { result: { run: session.add(run, streams) } };
}

function cancelRun(session: Asker, params: unknown): Reply {
  const given = parseRunCancel(params);
  if ('bad' in given) return bad(METHODS.runCancel, given);
  // One that ended meanwhile is no mistake of whoever cancels it.
  return session.cancel(given.run)
    ? { result: {} }
    : no('unknown-run', `Cannot cancel run ${given.run}: it is not running`);
}

function proven(session: Asker, by: Proven['by'], nonces: Nonces): Proven {
  return { by, ...nonces, address: session.peer.localAddress, port: session.peer.localPort };
}

function notLoopback(): Reply {
  return no('not-loopback', 'Cannot take this connection for the owner: the token counts from loopback only');
}

function bad(method: string, { bad: why }: BadParams): Reply {
  return no('bad-params', `Cannot do ${method}: ${why}`);
}

function no(code: Parameters<typeof refusal>[0], message: string): Reply {
  return { error: refusal(code, message) };
}
