// `partyline chat`: come in by name, lines in, lines out.

import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { comeIn, talk } from '../client/chat.ts';
import { OWNER_TOKEN_FILE, ownerTicketOf } from '../client/on-socket.ts';
import { LINES, reach, ReachError, readTarget } from '../client/reach.ts';
import { readCredential, type StoredCredential } from '../config/credentials.ts';
import { stateDirectory } from '../config/state.ts';
import { formatHostPort } from '../net/address.ts';
import { isLoopbackAddress, normaliseAddress } from '../net/peer.ts';
import { PASSWORD_PROMPT } from '../protocol/line/reply.ts';
import { escapeControls } from '../protocol/text.ts';
import { parseOnce, whyUnusable } from './kit/arguments.ts';
import { BrokenLines } from './kit/broken-lines.ts';
import { Questions } from './kit/input.ts';
import { jsonLine } from './kit/json-line.ts';
import { keptAs } from './kit/kept.ts';
import { askPassword } from './kit/secret.ts';
import { UNREACHED_STATUS, USAGE_STATUS } from './kit/status.ts';
import { givenToken } from './kit/token-file.ts';
import { trustFor } from './kit/trust.ts';

export const HELP = `Come in by name, read and write messages: lines in, lines out

Usage: partyline chat [HOST] [--name NAME] [--json]

  HOST          [SCHEME://]HOST[:PORT] (PARTYLINE_HOST, else localhost; port 7270)
                beyond this machine it is TLS; tls:// is TLS here too, tcp+insecure:// plain text
  --name NAME   who you are (the account whose token is in PARTYLINE_TOKEN_FILE, else the one that is logged in here with
                partyline login, else the owner of a server on this machine, if that is you, else a guest by your user
                name); another name is a guest's; of an account that is not logged in here the password is asked for,
                on a terminal
  --json        each line of the server as a JSON object

What you type goes to the server, line by line, and what it says is shown, as with nc:
  get_list                      who is here
  send all TEXT                 to everyone
  send NAME [NAME...] : TEXT    to one or several, or to a #group; no answer means that it was sent
  history, search               what was said before
  join, leave, groups           #groups, of whom each is told what is sent to it
  run [HOSTS] : COMMAND         on machines, if you may; runs, share, approvals, approve, deny
  receipts, whoami, password    what became of your messages; who you are; a new password
  help [COMMAND]                all there are, or one of them with an example
  quit                          leaves, as the end of the input does

A message comes in two lines, when and from whom:
  2026-11-22 20:30:52
  Vamshi (singlecasted) : see you at 7

Guests come in from the server's own machine, and from elsewhere where it is open to them. Whoever has an account gets what was
sent while it was away. To say one thing and go, partyline send makes nobody present.

The status is 0 once all that was said has been sent; 255 if it could not connect, was refused or the server went away; 64 if
it was used wrongly.

Examples:
  partyline chat --name Vamshi
  partyline chat lab.example
  printf 'send all hello\\n' | partyline chat ::1 --name Vamshi
  partyline chat --json < /dev/null | jq -r .line
`;

/** What somebody is called whose name only the server knows. It is no name that anybody has. */
const WHOSE_TOKEN = '(whose token it is)';

/** What the command asks of the machine. */
export interface ChatMachine {
  /** Throws where the user's id has no entry among the machine's users, as in many a container. */
  userName(this: void): string;
}

const THIS_MACHINE: ChatMachine = { userName: () => userInfo().username };

export async function chat(args: string[], machine: ChatMachine = THIS_MACHINE): Promise<number> {
  let read;
  try {
    read = parseOnce({
      args,
      allowPositionals: true,
      options: { name: { type: 'string' }, json: { type: 'boolean', default: false } },
    });
  } catch (error) {
    return fail(whyUnusable(error), USAGE_STATUS);
  }
  const { values, positionals } = read;
  if (positionals.length > 1) return fail(`one HOST is expected, not ${positionals.length}`, USAGE_STATUS);
  const host = positionals[0] ?? (process.env['PARTYLINE_HOST'] || 'localhost');
  const target = readTarget(host, LINES);
  if ('wrong' in target) return fail(target.wrong, USAGE_STATUS);
  const found = await find(host, values.name);
  if (found !== undefined && 'refused' in found) return fail(found.refused, UNREACHED_STATUS);
  const asked = found !== undefined && 'token' in found ? found.name : (values.name ?? ownName(machine));
  if (asked === undefined) return fail('your user id has no name on this machine: give --name NAME', USAGE_STATUS);
  if (/[\r\n]/.test(asked)) return fail('a name is one line', USAGE_STATUS);
  try {
    const address = found !== undefined && 'address' in found ? found.address : undefined;
    const reached = await reach(host, { policy: LINES, trust: trustFor('chat'), allowHalfOpen: true, address });
    const { socket } = reached;
    // A server that is met at another address may show a key that somebody is logged in for.
    const known = found ?? (reached.fingerprint === undefined ? undefined : keptFor(host, values.name, reached));
    const account = known !== undefined && 'token' in known ? known : undefined;
    const name = account?.name ?? asked;
    const isPrivate = reached.fingerprint !== undefined || isLoopbackAddress(normaliseAddress(reached.address));
    if (account !== undefined && !isPrivate) {
      socket.destroy();
      const why = 'the connection is plain text, and nothing secret was sent; --name NAME comes in as a guest';
      return fail(`Cannot come in at ${host} by a token: ${why}`, UNREACHED_STATUS);
    }
    let hasPassword = false;
    const askPassword = () => {
      hasPassword = true;
      return passwordOf(name, { host, isPrivate });
    };
    const first = await comeIn(reached, { name, askPassword, ...(account !== undefined && { token: account.token }) });
    const isGuest = account === undefined && !hasPassword;
    const otherwise = known !== undefined && 'otherwise' in known ? known.otherwise : undefined;
    // A program that has said who it is, and is nobody else, need not be told.
    const isNews = values.name === undefined || otherwise !== undefined || process.stdout.isTTY;
    if (isNews && name !== WHOSE_TOKEN) tellWho(name, { isGuest, otherwise });
    const show = values.json ? linesAsJson() : process.stdout.isTTY ? forTerminal() : (chunk: Buffer) => chunk;
    const end = await talk({ socket, first, input: process.stdin, output: process.stdout, show });
    if (end === 'server-gone') return fail(`${host} went away`, UNREACHED_STATUS);
    return 0;
  } catch (error) {
    if (error instanceof ReachError) return fail(error.message, UNREACHED_STATUS);
    throw error;
  }
}

/** As the line protocol asks for it; a text says why it is not asked here. */
async function passwordOf(
  name: string,
  { host, isPrivate }: { host: string; isPrivate: boolean },
): Promise<{ password: string } | string> {
  if (!isPrivate) return 'the connection is plain text, and no password is sent over it';
  const questions = new Questions();
  const login = `log in to it once with partyline login --host ${host} --name ${name}`;
  if (!questions.isTerminal)
    return `nobody is logged in to it here, and a password is asked for on a terminal alone; ${login}`;
  const password = await askPassword(questions, PASSWORD_PROMPT);
  if (password === 'none') return `no password was given; or ${login}`;
  return 'failed' in password ? password.failed : { password: password.secret };
}

interface Account extends Pick<StoredCredential, 'name' | 'token'> {
  /** Where it is to be shown, and nowhere else. */
  readonly address?: string;
}

/** `otherwise`: who one would be under no name or another. Undefined: a guest, and nobody else. */
type Found = Account | { readonly refused: string } | { readonly otherwise: string } | undefined;

/** The one whose token file is given, or that is logged in to this server here, or the owner; unless another name is asked for. */
async function find(host: string, name: string | undefined): Promise<Found> {
  const given = givenToken();
  if (given !== undefined && 'refused' in given) return name === undefined ? given : keptFor(host, name);
  if (given !== undefined && 'token' in given) {
    return name === undefined ? { name: WHOSE_TOKEN, token: given.token } : keptFor(host, name);
  }
  const kept = given === undefined ? keptFor(host, name) : undefined;
  const tokenFile = given?.ownerTokenFile ?? join(stateDirectory(), OWNER_TOKEN_FILE);
  if (kept !== undefined || !existsSync(tokenFile)) return kept;
  // The owner token is proven, which this protocol has no way to do; what is sent is a ticket that is given for the proof.
  const owner = await ownerTicketOf(host, { tokenFile, trust: trustFor('chat') });
  if (owner === undefined) return undefined;
  if ('refused' in owner) {
    // As somebody else one may come in all the same.
    if (name !== undefined) return undefined;
    return { refused: `${owner.refused}; --name NAME comes in as a guest` };
  }
  if (name !== undefined && !isSame(name, owner.name)) return { otherwise: owner.name };
  return { name: owner.name, token: owner.ticket, address: owner.address };
}

function keptFor(
  host: string,
  name: string | undefined,
  { fingerprint }: { readonly fingerprint?: string | undefined } = {},
): Account | { otherwise: string } | undefined {
  const target = readTarget(host, LINES);
  if ('wrong' in target) return undefined;
  const server = formatHostPort(target.host.toLowerCase(), target.port);
  const stored = readCredential(stateDirectory(), keptAs(server, fingerprint));
  if (stored === undefined || 'refused' in stored) return undefined;
  return name === undefined || isSame(name, stored.name) ? stored : { otherwise: stored.name };
}

function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

interface Who {
  readonly isGuest: boolean;
  readonly otherwise: string | undefined;
}

function tellWho(name: string, { isGuest, otherwise }: Who): void {
  const instead = otherwise === undefined ? '' : `; without --name you are ${otherwise}`;
  process.stderr.write(`partyline chat: ${escapeControls(`you are ${name}${isGuest ? ', a guest' : ''}${instead}`)}\n`);
}

function ownName({ userName }: ChatMachine): string | undefined {
  try {
    return userName();
  } catch {
    return undefined;
  }
}

function fail(reason: string, status: number): number {
  process.stderr.write(`partyline chat: ${reason}\n`);
  return status;
}

/** A server that is not to be trusted may still not drive this terminal. */
function forTerminal(): (chunk: Buffer) => string {
  const utf8 = new TextDecoder();
  const lines = new BrokenLines();
  return (chunk) => lines.show(utf8.decode(chunk, { stream: true }));
}

/** A longer line is told in pieces: a server that never ends one does not fill our memory. UTF-16 units. */
const MAX_JSON_PIECE_LENGTH = 65_536;

function linesAsJson(): (chunk: Buffer) => string {
  const utf8 = new TextDecoder();
  let rest = '';
  return (chunk) => {
    const lines = (rest + utf8.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_JSON_PIECE_LENGTH) {
      lines.push(rest);
      rest = '';
    }
    return lines.map((line) => jsonLine({ line })).join('');
  };
}
