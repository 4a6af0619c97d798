// How a client shows who it is, once the connection is there. Nothing secret goes where somebody on the way could read it:
// that is decided here, before the server is asked.

import { RefusedError, refusedBy, UnreachableError } from './errors.ts';
import { loginCode, loginToken } from '../protocol/native/methods/login.ts';
import { readResult } from './requests.ts';
import type { Answer, Opened, Surroundings } from './wire.ts';

export type Credential =
  /** Of an account, as `createToken` or `login` gave it. */
  | { readonly token: string }
  | { readonly name: string; readonly password: string }
  /** Somebody without an account, present from now on. */
  | { readonly guest: string }
  /** Of an invitation, which it uses up; `label` is what the token of this client will be called. */
  | { readonly code: string; readonly password?: string; readonly label?: string }
  /** The owner token's file: proven, never sent, and towards this machine only. */
  | { readonly ownerTokenFile: string }
  /** Comes in as nobody: to `discover`, and to be asked for nothing else. */
  | 'none';

/** What somebody came in by. */
export type CameInBy = 'token' | 'password' | 'guest' | 'code' | 'owner token' | 'none';

/** A credential, or how to choose one when it is known who the other end is. */
export type CredentialChoice = Credential | ((server: Surroundings) => Credential | Promise<Credential>);

/** Who the server says one is. */
export interface Identity {
  readonly name: string;
  readonly role: 'owner' | 'operator' | 'member' | 'guest';
}

export interface LoggedIn {
  readonly identity: Identity | undefined;
  /** What to come in with next time: a code is used up, and leaves a token. */
  readonly next: CredentialChoice;
}

export function kindOf(credential: Credential): CameInBy {
  if (credential === 'none') return 'none';
  if ('token' in credential) return 'token';
  if ('guest' in credential) return 'guest';
  // A code may have a password with it.
  if ('code' in credential) return 'code';
  return 'password' in credential ? 'password' : 'owner token';
}

/** What to come in with, to this server. */
export async function choose(server: Surroundings, choice: CredentialChoice): Promise<Credential> {
  return typeof choice === 'function' ? await choice(server) : choice;
}

/** The login has left. */
export interface Entering {
  /** Rejects with a `RefusedError`, or with an `UnreachableError` if the connection went first. */
  readonly cameIn: Promise<LoggedIn>;
}

/** Throws what `cameIn` of `enter` rejects with. */
export async function logIn(opened: Opened, choice: CredentialChoice): Promise<LoggedIn> {
  return (await enter(opened, choice)).cameIn;
}

/**
 * Shows who is there. A server takes what it is asked in order, so that more may be asked at once: nothing of it is done if
 * the login is refused. Throws what `cameIn` rejects with.
 */
export async function enter(opened: Opened, choice: CredentialChoice): Promise<Entering> {
  const credential = await choose(opened, choice);
  if (credential === 'none') {
    await greeted(opened);
    return { cameIn: Promise.resolve({ identity: undefined, next: choice }) };
  }
  if ('ownerTokenFile' in credential) {
    if (opened.proveOwner === undefined || !opened.isLoopback) {
      throw new RefusedError(
        'not-loopback',
        'Cannot come in as the owner: the owner token counts on this machine only',
      );
    }
    const { proven } = await opened.proveOwner(credential.ownerTokenFile);
    return { cameIn: resultIn(opened, proven).then((result) => ({ identity: identityIn(result), next: choice })) };
  }
  if (!('guest' in credential)) {
    if (!opened.isPrivate) {
      throw new RefusedError(
        'not-encrypted',
        'Cannot log in: the connection is plain text, and nothing secret was sent',
      );
    }
    // What is no native server may write into its log what it does not understand.
    if (!opened.mayLogInAtOnce) await greeted(opened);
  }
  const answered = resultIn(opened, opened.wire.request(methodFor(credential), paramsFor(credential)));
  return {
    cameIn: answered.then((result) => {
      if (!('code' in credential)) return { identity: identityIn(result), next: choice };
      const { token, ...identity } = readResult(loginCode, result);
      return { identity, next: { token } };
    }),
  };
}

type Sent = Exclude<Credential, 'none' | { ownerTokenFile: string }>;

function methodFor(credential: Sent): string {
  if ('token' in credential) return 'login.token';
  if ('guest' in credential) return 'login.guest';
  return 'code' in credential ? 'login.code' : 'login.password';
}

function paramsFor(credential: Sent): object {
  return 'guest' in credential ? { name: credential.guest } : credential;
}

function identityIn(result: unknown): Identity {
  return readResult(loginToken, result);
}

async function greeted({ greeting }: Opened): Promise<void> {
  const wrong = await greeting;
  if (wrong !== undefined) throw wrong;
}

async function resultIn(opened: Opened, asked: Promise<Answer>): Promise<unknown> {
  const answer = await asked;
  if ('error' in answer) throw refusedBy(answer.error);
  if ('result' in answer) return answer.result;
  await greeted(opened);
  throw new UnreachableError(`The server went away during the login: ${answer.lost}`);
}
