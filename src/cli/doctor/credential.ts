// What `partyline doctor` says of coming in: whom the other commands come in as. They look for a token where they are told
// to, and the server may have its directory elsewhere.

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { connect, RefusedError, type Client, type CredentialChoice, type Surroundings } from '../../client/mod.ts';
import { OWNER_TOKEN_FILE } from '../../client/on-socket.ts';
import { stateDirectory } from '../../config/state.ts';
import { chooseCredential, serverOf } from '../kit/come-in.ts';
import { trustFor } from '../kit/trust.ts';
import type { Finding } from './checks.ts';

const check = 'credential';

export interface CameIn extends AsyncDisposable {
  readonly client: Client;
  readonly finding: Finding;
}

/**
 * As every command does. Where that is refused, as the owner by the token in the directory looked at, which is another one
 * with `--data`; else as nobody.
 */
export async function comeInAsCommands(host: string, directory: string): Promise<CameIn> {
  const options = { host, reconnect: false, trust: trustFor('doctor') } as const;
  const open = (credential: CredentialChoice) => connect({ ...options, credential });
  let isLoopback = false;
  try {
    const server = serverOf(host);
    const client = await open((surroundings: Surroundings) => {
      ({ isLoopback } = surroundings);
      return chooseCredential({ host, server }, surroundings);
    });
    const { name = '', role = '' } = client.identity ?? {};
    return cameIn(client, { check, state: 'ok', found: `commands come in at ${host} as ${name} (${role})` });
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    const refused = { error, host, isLoopback };
    const owner = isLoopback ? await openAsOwner(open, directory) : undefined;
    if (owner !== undefined) return cameIn(owner, findingOf({ ...refused, ownerDirectory: directory }));
    return cameIn(await open('none'), findingOf(refused));
  }
}

function cameIn(client: Client, finding: Finding): CameIn {
  return { client, finding, [Symbol.asyncDispose]: () => client[Symbol.asyncDispose]() };
}

async function openAsOwner(
  open: (credential: CredentialChoice) => Promise<Client>,
  directory: string,
): Promise<Client | undefined> {
  const ownerTokenFile = join(directory, OWNER_TOKEN_FILE);
  if (directory === resolve(stateDirectory()) || !existsSync(ownerTokenFile)) return undefined;
  try {
    return await open({ ownerTokenFile });
  } catch (error) {
    if (error instanceof RefusedError) return undefined;
    throw error;
  }
}

interface Refused {
  readonly error: RefusedError;
  readonly host: string;
  readonly isLoopback: boolean;
  /** Where the server's owner token was found after all. */
  readonly ownerDirectory?: string;
}

function findingOf({ error, host, isLoopback, ownerDirectory }: Refused): Finding {
  const state = 'warning';
  const given = process.env['PARTYLINE_TOKEN_FILE'];
  const ownToken = given || join(stateDirectory(), OWNER_TOKEN_FILE);
  const login = `partyline login --host ${host} --code CODE`;
  const found = foundOf(error, { host, ownToken, isLoopback });
  if (given) return { check, state, found, todo: 'mend PARTYLINE_TOKEN_FILE, or leave it out' };
  if (!isLoopback) return { check, state, found, todo: login };
  if (error.code === 'no-credential' && existsSync(ownToken)) {
    return { check, state, found, todo: 'see that it is what the server made, and its user’s alone' };
  }
  const data = ownerDirectory ?? 'DIR';
  const where = ownerDirectory === undefined ? ', where DIR is the directory of the server' : '';
  const asOwner = `PARTYLINE_DATA=${data} or PARTYLINE_TOKEN_FILE=${join(data, OWNER_TOKEN_FILE)}${where}`;
  return { check, state, found, todo: `as its owner ${asOwner}; as somebody who was invited ${login}` };
}

function foundOf({ code, message }: RefusedError, { host, ownToken, isLoopback }: Around): string {
  const not = `commands do not come in at ${host}`;
  if (code === 'wrong-proof') return `${not}: the owner token in ${ownToken} is not that server's`;
  // One that is there and cannot be used says so itself.
  if (code !== 'no-credential' || existsSync(ownToken) || process.env['PARTYLINE_TOKEN_FILE']) return message;
  const nobody = `${not}: nobody is logged in to it here`;
  return isLoopback ? `${nobody}, and there is no ${ownToken}` : nobody;
}

interface Around {
  readonly host: string;
  readonly ownToken: string;
  readonly isLoopback: boolean;
}
