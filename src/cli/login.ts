// `partyline login`: comes in with a code or a password, and keeps a token for the next time.

import { hostname } from 'node:os';
import { randomBytes } from 'node:crypto';
import { parseOnce } from './kit/arguments.ts';
import { ClosedError, RefusedError, UnreachableError, type Client, type Credential } from '../client/mod.ts';
import { credentialPath, readCredential, writeCredential, type StoredCredential } from '../config/credentials.ts';
import { stateDirectory } from '../config/state.ts';
import { escapeControls, quote, shorten } from '../protocol/text.ts';
import { fail, misuse, serverOf, whileIn, attempt } from './kit/come-in.ts';
import { Questions } from './kit/input.ts';
import { jsonLine } from './kit/json-line.ts';
import { keptAs } from './kit/kept.ts';
import { COMMON, COMMON_HELP, hostOf, readOptions } from './kit/options.ts';
import { print } from './kit/print.ts';
import { askNewPassword, askPassword } from './kit/secret.ts';
import { reasonOf } from '../reason.ts';

export const HELP = `Log in to a server, and keep a token for it

Usage: partyline login --code CODE
       partyline login --name NAME

  --code CODE        of an invitation; - reads it from standard input
  --name NAME        of an account that has a password
${COMMON_HELP}

With a code a password is set: it is asked for twice on a terminal, else it is the next line of standard input. Without
one (an empty line, or none) the account has only the token, which is said; partyline password sets one later. The token
is kept in the state directory (PARTYLINE_DATA), and counts until partyline logout, or until you log in again here, which
removes it on the server.

Examples:
  partyline login --host lab.example --code 2Q4S-…
  partyline login --host lab.example --name bob
  printf '%s\\n' "$CODE" "$PASSWORD" | partyline login --host lab.example --code -
`;

/** UTF-16 units of a machine's name in a label, of 64 that a label may have. */
const MAX_HOSTNAME_LENGTH = 40;
/** Bytes that make a label one that no other login has. */
const LABEL_BYTES = 4;

export async function login(args: string[]): Promise<number> {
  const values = readOptions('login', () =>
    parseOnce({
      args,
      allowPositionals: true,
      options: { ...COMMON, code: { type: 'string' }, name: { type: 'string' } },
    }),
  );
  if (typeof values === 'number') return values;
  if ((values.code === undefined) === (values.name === undefined)) {
    return misuse('login', 'one of --code CODE and --name NAME is expected');
  }
  if (values.code?.trim() === '')
    return misuse('login', `--code takes a code, or - for standard input, not ${quote(values.code)}`);
  if (values.name?.trim() === '')
    return misuse('login', `--name takes the name of an account, not ${quote(values.name)}`);
  const host = hostOf(values.host);
  const label = newLabel();
  return attempt('login', async () => {
    const server = serverOf(host);
    const credential = await credentialFor(values, label);
    if (typeof credential === 'string') return fail('login', `Cannot log in to ${host}: ${credential}`);
    return whileIn({ command: 'login', host, credential }, async (client) => {
      const token = 'code' in credential ? tokenIn(client) : (await client.createToken(label)).token;
      const { name = '', role = '' } = client.identity ?? {};
      const directory = stateDirectory();
      const keptFor = keptAs(server, client.server?.fingerprint);
      const earlier = readCredential(directory, keptFor);
      try {
        writeCredential(directory, keptFor, { name, token, label });
      } catch (error) {
        return fail('login', reasonOf(error));
      }
      const left = earlier === undefined || 'refused' in earlier ? undefined : await endEarlier(earlier, client);
      if (left !== undefined) process.stderr.write(`partyline login: ${escapeControls(left)}\n`);
      if ('code' in credential && credential.password === undefined && !(await client.hasPassword())) {
        process.stderr.write(`partyline login: ${escapeControls(noPassword(name))}\n`);
      }
      if (values.json) await print(jsonLine({ name, role, host: server }));
      else {
        const path = credentialPath(directory, keptFor);
        await print(`${escapeControls(`Logged in to ${server} as ${name} (${role}); the token is kept in ${path}`)}\n`);
      }
      return 0;
    });
  });
}

function noPassword(name: string): string {
  return `no password was given, so ${name} has none: the token that is kept here is the only way in; partyline password sets one`;
}

/** Ends the token in whose place another is kept now, if both are of one account; a text says that it could not be. */
export async function endEarlier(
  { name, label }: StoredCredential,
  client: Pick<Client, 'identity' | 'tokens' | 'removeToken'>,
): Promise<string | undefined> {
  if (client.identity?.name !== name) return undefined;
  let id: number | undefined;
  try {
    id = (await client.tokens()).find((one) => one.label === label)?.id;
    if (id !== undefined) await client.removeToken(id);
    return undefined;
  } catch (error) {
    const isTold = error instanceof RefusedError || error instanceof UnreachableError || error instanceof ClosedError;
    if (!isTold) throw error;
    const todo = `partyline token remove ${id ?? 'ID'} ends it`;
    return `The token that was kept here before still counts: ${error.message}; ${todo}`;
  }
}

type Shown = Extract<Credential, { code: string } | { password: string }>;

/** A text says why there is none. */
async function credentialFor(
  { code: given, name }: { code?: string | undefined; name?: string | undefined },
  label: string,
): Promise<Shown | string> {
  const questions = new Questions();
  if (name !== undefined) {
    const password = await askPassword(questions, `Password of ${escapeControls(name)}: `);
    if (password === 'none') return 'a password is missing on standard input';
    return 'failed' in password ? password.failed : { name, password: password.secret };
  }
  const code = given === '-' ? await questions.ask('Code: ') : { line: given ?? '' };
  if (code === 'interrupted') return 'interrupted';
  if (code === 'end' || code.line.trim() === '') return 'a code is missing';
  const password = await askNewPassword(questions, 'New password (none: only the token)');
  if (typeof password === 'object' && 'failed' in password) return password.failed;
  return { code: code.line.trim(), label, ...(password === 'none' ? {} : { password: password.secret }) };
}

/** The code has become one. */
function tokenIn({ credential }: Client): string {
  if (typeof credential === 'object' && 'token' in credential) return credential.token;
  throw new Error('The server took the code and gave no token');
}

function newLabel(): string {
  return `${shorten(hostname(), MAX_HOSTNAME_LENGTH)} ${randomBytes(LABEL_BYTES).toString('hex')}`;
}
