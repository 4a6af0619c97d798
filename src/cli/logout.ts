// `partyline logout`: the token for a server is forgotten, here and there.

import { parseOnce } from './kit/arguments.ts';
import { RefusedError, UnreachableError } from '../client/mod.ts';
import { readCredential, removeCredential } from '../config/credentials.ts';
import { stateDirectory } from '../config/state.ts';
import { escapeControls } from '../protocol/text.ts';
import { attempt, connectWith, fail, serverOf } from './kit/come-in.ts';
import { keptAsRemembered } from './kit/kept.ts';
import { jsonLine } from './kit/json-line.ts';
import { COMMON, COMMON_HELP, hostOf, readOptions } from './kit/options.ts';
import { print } from './kit/print.ts';

export const HELP = `Forget the token for a server, here and on the server

Usage: partyline logout

  --yes              even where the token is the only way in: the account has no password and no other token
${COMMON_HELP}

If the server cannot be asked the token is forgotten here all the same, and the status is 1: it still counts there.

Examples:
  partyline logout
  partyline logout --host lab.example
`;

export async function logout(args: string[]): Promise<number> {
  const values = readOptions('logout', () =>
    parseOnce({ args, allowPositionals: true, options: { ...COMMON, yes: { type: 'boolean', default: false } } }),
  );
  if (typeof values === 'number') return values;
  const host = hostOf(values.host);
  return attempt('logout', async () => {
    const server = keptAsRemembered(serverOf(host));
    const directory = stateDirectory();
    const stored = readCredential(directory, server);
    if (stored === undefined) return fail('logout', `Nobody is logged in to ${server} here`);
    if ('refused' in stored) return fail('logout', stored.refused);
    const { name, token, label } = stored;
    let kept: string | undefined;
    try {
      kept = await forgetThere({ host, token, label, isSure: values.yes });
    } catch (error) {
      if (!(error instanceof RefusedError || error instanceof UnreachableError)) throw error;
      kept = error.message;
    }
    if (kept === ONLY_WAY_IN) {
      const ways = 'partyline password sets a password, --yes forgets the token all the same';
      return fail('logout', `Nothing is forgotten: the token is the only way in as ${escapeControls(name)}; ${ways}`);
    }
    removeCredential(directory, server);
    if (kept !== undefined)
      return fail('logout', `The token is forgotten here, and may still count on ${server}: ${kept}`);
    await print(values.json ? jsonLine({ name, host: server }) : `Logged out of ${server}\n`);
    return 0;
  });
}

interface Kept {
  readonly host: string;
  readonly token: string;
  readonly label: string;
  /** Whoever asks knows what it is. */
  readonly isSure: boolean;
}

const ONLY_WAY_IN = 'it is the only way in';

/** Why it could not be; undefined: it is forgotten. */
async function forgetThere({ host, token, label, isSure }: Kept): Promise<string | undefined> {
  await using client = await connectWith({ command: 'logout', host, credential: { token } });
  const tokens = await client.tokens();
  const found = tokens.find((one) => one.label === label);
  if (!isSure && tokens.length === 1 && found !== undefined && !(await client.hasPassword())) return ONLY_WAY_IN;
  if (found === undefined) return 'it is not known there by its label';
  await client.removeToken(found.id);
  return undefined;
}
