// How a command comes in at a server: with which credential, and what is said when it cannot.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  ClosedError,
  connect,
  RefusedError,
  UnreachableError,
  type Client,
  type Credential,
  type Surroundings,
} from '../../client/mod.ts';
import { OWNER_TOKEN_FILE } from '../../client/on-socket.ts';
import { NATIVE, readTarget } from '../../client/reach.ts';
import { readCredential } from '../../config/credentials.ts';
import { stateDirectory } from '../../config/state.ts';
import { formatHostPort } from '../../net/address.ts';
import { keptAs } from './kept.ts';
import { FAILURE_STATUS, USAGE_STATUS } from './status.ts';
import { givenToken } from './token-file.ts';
import { trustFor } from './trust.ts';

/** A server that is being restarted is back within these; somebody waits for the command. */
const RECONNECT = { attempts: 6 } as const;

export interface Going {
  /** As it is called on the command line. */
  readonly command: string;
  readonly host: string;
  /** Instead of the one that is kept for the server. */
  readonly credential?: Credential;
}

/** What is given as a server is not written as one: wrong usage. */
export class AddressError extends Error {}

/** `HOST:PORT`, what a token is kept for. Throws what `attempt` says if the host is not written as one. */
export function serverOf(host: string): string {
  const target = readTarget(host, NATIVE);
  if ('wrong' in target) throw new AddressError(target.wrong);
  return formatHostPort(target.host.toLowerCase(), target.port);
}

/** Comes in, does the work and leaves; the status of the command. Failures are one line on stderr. */
export async function whileIn(going: Going, work: (client: Client) => Promise<number>): Promise<number> {
  return attempt(going.command, async () => {
    await using client = await connectWith(going);
    return await work(client);
  });
}

export function connectWith({ command, host, credential }: Going): Promise<Client> {
  const server = serverOf(host);
  const choose = (surroundings: Surroundings) => chooseCredential({ host, server }, surroundings);
  return connect({ host, credential: credential ?? choose, reconnect: RECONNECT, trust: trustFor(command) });
}

/** Does something that may be refused. */
export async function attempt(command: string, work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AddressError) return misuse(command, error.message);
    if (error instanceof RefusedError || error instanceof UnreachableError || error instanceof ClosedError) {
      return fail(command, error.message);
    }
    throw error;
  }
}

export function fail(command: string, reason: string): number {
  process.stderr.write(`partyline ${command}: ${reason}\n`);
  return FAILURE_STATUS;
}

/** It was called in a way that it is not to be called. */
export function misuse(command: string, reason: string): number {
  process.stderr.write(`partyline ${command}: ${reason}\n`);
  return USAGE_STATUS;
}

interface Server {
  readonly host: string;
  readonly server: string;
}

/** The token file, else what is kept for this server, else that the owner is on this machine. */
export function chooseCredential({ host, server }: Server, { isLoopback, fingerprint }: Surroundings): Credential {
  const given = givenToken();
  if (given !== undefined) {
    if ('refused' in given) throw new RefusedError('no-credential', given.refused);
    return given;
  }
  const directory = stateDirectory();
  const stored = readCredential(directory, keptAs(server, fingerprint));
  if (stored !== undefined) {
    if ('refused' in stored) throw new RefusedError('no-credential', stored.refused);
    return { token: stored.token };
  }
  const ownerTokenFile = join(directory, OWNER_TOKEN_FILE);
  if (isLoopback && existsSync(ownerTokenFile)) return { ownerTokenFile };
  const elsewhere = 'a server with --data DIR is met with PARTYLINE_DATA=DIR or PARTYLINE_TOKEN_FILE=DIR/owner.token';
  const owner = isLoopback
    ? `, and there is no ${ownerTokenFile}, so you are not known as the owner (${elsewhere})`
    : '';
  throw new RefusedError(
    'no-credential',
    `Cannot come in at ${host}: nobody is logged in to ${server} here${owner}; ` +
      `with an invitation: partyline login --host ${host} --code CODE`,
  );
}
