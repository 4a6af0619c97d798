// `partyline token`: tokens of one's own, by which programs come in.

import { existsSync } from 'node:fs';
import { parseOnce } from './kit/arguments.ts';
import type { Client } from '../client/mod.ts';
import { newSecretFile, readCredential, type SecretFile } from '../config/credentials.ts';
import { stateDirectory } from '../config/state.ts';
import { escapeControls, quote } from '../protocol/text.ts';
import { fail, misuse, serverOf, whileIn } from './kit/come-in.ts';
import { jsonLine } from './kit/json-line.ts';
import { keptAs } from './kit/kept.ts';
import { COMMON, COMMON_HELP, CREDENTIAL_HELP, hostOf, readCommandLine } from './kit/options.ts';
import { print, table } from './kit/print.ts';
import { localTime } from './kit/time.ts';
import { reasonOf } from '../reason.ts';

export const HELP = `Make a token of your own for a program, list them, remove one

Usage: partyline token new USE [--out FILE]
       partyline token list
       partyline token remove ID

  --out FILE         write the token there, mode 0600, instead of to standard output; a FILE that is there stays as it is
${COMMON_HELP}

USE says what it is for and is for your eyes, at most 64 characters. The token is shown this once; whoever has it is you,
with all that you may, until it is removed. With PARTYLINE_TOKEN_FILE=FILE every command comes in by it. A program that
is to be somebody of its own gets an account first: partyline invite NAME --as bot. The list marks the token that partyline
login keeps here.

${CREDENTIAL_HELP}

Examples:
  partyline token new 'backup on db1' --out backup.token
  PARTYLINE_TOKEN_FILE=backup.token partyline send --to '#ops' 'the backup is done'
  partyline token list
  partyline token remove 3
`;

/** UTF-16 units; the server cuts what is longer. */
const MAX_USE_LENGTH = 64;
const ID = /^[1-9][0-9]{0,14}$/;

interface Asked {
  readonly host: string;
  readonly json: boolean;
}

export async function token(args: string[]): Promise<number> {
  const read = readCommandLine('token', () =>
    parseOnce({ args, allowPositionals: true, options: { ...COMMON, out: { type: 'string' } } }),
  );
  if (typeof read === 'number') return read;
  const { values, positionals } = read;
  const [verb, given, ...more] = positionals;
  const asked = { host: hostOf(values.host), json: values.json };
  if (values.out !== undefined && verb !== 'new') return misuse('token', '--out is for new');
  switch (verb) {
    case 'new': {
      if (given === undefined || more.length > 0) {
        return misuse(
          'token',
          `one USE is expected after new, not ${positionals.length - 1}; quote it: 'backup on db1'`,
        );
      }
      if (given === '' || given.length > MAX_USE_LENGTH) {
        return misuse('token', `a USE has 1 to ${MAX_USE_LENGTH} characters, this has ${given.length}`);
      }
      return values.out === undefined ? make(given, asked) : makeInto(values.out, given, asked);
    }
    case 'list':
      return given === undefined ? list(asked) : misuse('token', `nothing is expected after list, not ${quote(given)}`);
    case 'remove': {
      if (given === undefined || more.length > 0) {
        return misuse('token', `one ID is expected after remove, not ${positionals.length - 1}`);
      }
      if (!ID.test(given)) return misuse('token', `an ID is a number of the list, not ${quote(given)}`);
      return remove(Number(given), asked);
    }
    case undefined:
      return misuse('token', 'one of new USE, list, remove ID is expected');
    default:
      return misuse('token', `one of new, list, remove is expected, not ${quote(verb)}`);
  }
}

function make(label: string, { host, json }: Asked): Promise<number> {
  return whileIn({ command: 'token', host }, async (client) => {
    const made = await client.createToken(label);
    if (json) await print(jsonLine({ id: made.id, label, token: made.token }));
    else {
      await print(`${made.token}\n`);
      process.stderr.write(`partyline token: made ${describe(client, made.id, label)}; it is not shown again\n`);
    }
    return 0;
  });
}

/** The file first: no token is made that has nowhere to be. */
async function makeInto(path: string, label: string, { host, json }: Asked): Promise<number> {
  if (existsSync(path))
    return fail('token', `Cannot make a token in ${path}: there is a file already; nothing was made`);
  return whileIn({ command: 'token', host }, async (client) => {
    let file: SecretFile;
    try {
      file = newSecretFile(path);
    } catch (error) {
      return fail('token', `${reasonOf(error)}; nothing was made`);
    }
    let made: { readonly id: number; readonly token: string };
    try {
      made = await client.createToken(label);
    } catch (error) {
      file.remove();
      throw error;
    }
    const failed = await keepIn(file, made, client);
    if (failed !== undefined) return fail('token', failed);
    if (json) await print(jsonLine({ id: made.id, label, file: path }));
    else await print(`Made ${escapeControls(`${describe(client, made.id, label)}, in ${path}`)}\n`);
    return 0;
  });
}

/** Writes the token down; a text says why that could not be, and whether a token is there now that nobody has. */
export async function keepIn(
  file: SecretFile,
  { id, token }: { readonly id: number; readonly token: string },
  client: Pick<Client, 'removeToken'>,
): Promise<string | undefined> {
  try {
    file.write(`${token}\n`);
    return undefined;
  } catch (error) {
    file.remove();
    const why = reasonOf(error);
    try {
      await client.removeToken(id);
      return `${why}; the token is removed again`;
    } catch (left) {
      const todo = `partyline token remove ${id} ends it`;
      return `${why}; token ${id} is there still, and nobody has it: ${reasonOf(left)}; ${todo}`;
    }
  }
}

function list({ host, json }: Asked): Promise<number> {
  return whileIn({ command: 'token', host }, async (client) => {
    const kept = labelKept(host, client);
    const tokens = (await client.tokens()).map(({ id, label, since }) => ({
      id,
      label,
      since,
      isHere: label === kept,
    }));
    if (json) await print(tokens.map((one) => jsonLine(one)).join(''));
    else if (tokens.length === 0) await print('You have no token\n');
    else {
      const inColumns = ({ id, label, since, isHere }: (typeof tokens)[number]) => {
        return [`${id}`, localTime(since), label, isHere ? '(kept here)' : ''];
      };
      await print(table(tokens.map(inColumns)));
    }
    return 0;
  });
}

/** What the server calls the token that is kept here; a file may have brought somebody else in. */
function labelKept(host: string, { identity, server }: Client): string | undefined {
  const stored = readCredential(stateDirectory(), keptAs(serverOf(host), server?.fingerprint));
  return stored === undefined || 'refused' in stored || stored.name !== identity?.name ? undefined : stored.label;
}

function remove(id: number, { host, json }: Asked): Promise<number> {
  return whileIn({ command: 'token', host }, async (client) => {
    await client.removeToken(id);
    await print(json ? jsonLine({ id, state: 'removed' }) : `Token ${id} is removed\n`);
    return 0;
  });
}

function describe({ identity }: Client, id: number, label: string): string {
  return `token ${id} of ${identity?.name ?? ''}, for ${quote(label)}`;
}
