// How the commands that carry bytes of runs come in: the owner on the server's own machine in the quickest way, whoever may
// have an account as the other commands do.

import { closeSync, constants, existsSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { NativeClient, Refused } from '../../client/native.ts';
import { enterAsOwner, entered, OWNER_TOKEN_FILE, type Entering } from '../../client/on-socket.ts';
import { stateDirectory } from '../../config/state.ts';
import { trustFor } from '../kit/trust.ts';

/** In the state directory: what `partyline login` keeps. */
const TOKENS = 'tokens';
/** What the token of an account begins with. */
const ACCOUNT_TOKEN = 'pl_';

interface Connecting {
  /** As it is called on the command line. */
  readonly command: string;
  readonly signal: AbortSignal;
}

/** Once it is in. Throws the reason of `signal`, and nothing else. */
export async function connectForRuns(host: string, connecting: Connecting): Promise<NativeClient | Refused> {
  const entering = await enterForRuns(host, connecting);
  return 'refused' in entering ? entering : await entered(entering, connecting.signal);
}

/** As soon as the login has left. Throws the reason of `signal`, and nothing else. */
export async function enterForRuns(host: string, { command, signal }: Connecting): Promise<Entering | Refused> {
  const trust = trustFor(command);
  return mayBeAccount()
    ? await (await import('./as.ts')).enterAs(host, { trust, signal })
    : await enterAsOwner(host, { tokenFile: tokenFile(), trust, signal });
}

function tokenFile(): string {
  return process.env['PARTYLINE_TOKEN_FILE'] || join(stateDirectory(), OWNER_TOKEN_FILE);
}

/**
 * Whether anything but the owner token may be there to come in with. Looked for in the quickest way, since a command on
 * this machine is to start at once.
 */
function mayBeAccount(): boolean {
  const given = process.env['PARTYLINE_TOKEN_FILE'];
  if (!given) {
    const directory = stateDirectory();
    // Where there is nothing at all, what is said is how to come in.
    return existsSync(join(directory, TOKENS)) || !existsSync(join(directory, OWNER_TOKEN_FILE));
  }
  try {
    // Not blocking: a pipe in its place must not hang us.
    const descriptor = openSync(given, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const begin = Buffer.alloc(ACCOUNT_TOKEN.length);
    readSync(descriptor, begin);
    closeSync(descriptor);
    return begin.toString('latin1') === ACCOUNT_TOKEN;
  } catch {
    // Whoever needs it says what is wrong with it; one that is not there is not the owner's.
    return !existsSync(given);
  }
}
