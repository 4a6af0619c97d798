// `partyline approve`: looks at a request and says yes to that and nothing else. `partyline deny`: says no.

import { createHash } from 'node:crypto';
import { parseOnce } from './kit/arguments.ts';
import type { Client, Request } from '../client/mod.ts';
import { isRecord } from '../protocol/native/rpc.ts';
import { formatNodeSet } from '../protocol/node-set.ts';
import { quote } from '../protocol/text.ts';
import { fail, misuse, whileIn } from './kit/come-in.ts';
import { Questions } from './kit/input.ts';
import { jsonLine } from './kit/json-line.ts';
import { COMMON, COMMON_HELP, CREDENTIAL_HELP, hostOf, readCommandLine } from './kit/options.ts';
import { print, table } from './kit/print.ts';
import { localTime } from './kit/time.ts';

export const APPROVE_HELP = `Look at a command that waits for approval, and approve it

Usage: partyline approve ID [--yes HASH]

  --yes HASH         do not ask: approve if this is the digest of the request, or at least its first 8 digits
  --deny             say no, as partyline deny does
${COMMON_HELP}

All of it is shown: whose rights count, on which machines, the command and everything that it is started with. Typing yes
approves that; whoever asked may start it then, once on each machine, and nothing that differs in anything. Your own
requests somebody else has to approve.

${CREDENTIAL_HELP}

Examples:
  partyline approvals
  partyline approve 3
  partyline approve 3 --yes 9f86d081884c7d65
`;

export const DENY_HELP = `Say no to a command that waits for approval; your own is taken back

Usage: partyline deny ID

${COMMON_HELP}

${CREDENTIAL_HELP}

Examples:
  partyline deny 3
`;

/** Digits of a digest that a script has to know. */
const MIN_HASH_LENGTH = 8;

export async function approve(args: string[]): Promise<number> {
  const read = readCommandLine('approve', () =>
    parseOnce({
      args,
      allowPositionals: true,
      options: { ...COMMON, yes: { type: 'string' }, deny: { type: 'boolean', default: false } },
    }),
  );
  if (typeof read === 'number') return read;
  const { values, positionals } = read;
  const id = idIn(positionals);
  if (typeof id === 'string') return misuse('approve', id);
  const hash = values.yes?.toLowerCase();
  if (hash !== undefined && !(/^[0-9a-f]{1,64}$/.test(hash) && hash.length >= MIN_HASH_LENGTH)) {
    return misuse(
      'approve',
      `--yes takes at least ${MIN_HASH_LENGTH} digits of the request’s digest, not ${quote(hash)}`,
    );
  }
  const going = { command: 'approve', host: hostOf(values.host) };
  if (values.deny) return whileIn(going, (client) => sayNo(client, id, values.json));
  return whileIn(going, async (client) => {
    const request = await client.approval(id);
    const why = await whyNot(request, hash);
    if (why !== undefined) return fail('approve', `${why}; request ${id} was not approved`);
    await client.approve(id, request.hash);
    await print(
      values.json ? jsonLine({ approval: id, hash: request.hash, approved: true }) : `Request ${id} is approved\n`,
    );
    return 0;
  });
}

export async function deny(args: string[]): Promise<number> {
  const read = readCommandLine('deny', () => parseOnce({ args, allowPositionals: true, options: COMMON }));
  if (typeof read === 'number') return read;
  const { values, positionals } = read;
  const id = idIn(positionals);
  if (typeof id === 'string') return misuse('deny', id);
  return whileIn({ command: 'deny', host: hostOf(values.host) }, (client) => sayNo(client, id, values.json));
}

async function sayNo(client: Client, id: number, isJson: boolean): Promise<number> {
  const { how } = await client.deny(id);
  const isOwn = how === 'withdrawn';
  const facts = { approval: id, approved: false, ...(isOwn ? { withdrawn: true } : {}) };
  await print(isJson ? jsonLine(facts) : `Request ${id} is ${isOwn ? 'taken back' : 'denied'}\n`);
  return 0;
}

function idIn([given, another]: readonly string[]): number | string {
  if (given === undefined || another !== undefined) return 'one ID is expected; partyline approvals lists them';
  return /^[1-9][0-9]{0,8}$/.test(given) ? Number(given) : `an ID is a number, not ${quote(given)}`;
}

/** Undefined: it is what is meant, by its digest or by whoever has looked at it. */
async function whyNot(request: Request, given: string | undefined): Promise<string | undefined> {
  const { canonical, hash } = request;
  if (createHash('sha256').update(canonical).digest('hex') !== hash) return 'The digest is not that of the request';
  const rows = rowsFor(request);
  if (rows === undefined) return 'The request is not as it is known here';
  if (given !== undefined) return hash.startsWith(given) ? undefined : `The request has the digest ${hash}`;
  const questions = new Questions();
  if (!questions.isTerminal) return `Nobody is here to look at it: --yes ${hash} approves what has this digest`;
  questions.say(table(rows).trimEnd());
  const typed = await questions.askShown('Type yes to approve: ');
  return typeof typed === 'object' && typed.line.trim() === 'yes' ? undefined : 'It was not confirmed by typing yes';
}

/** Everything that the digest is of, whatever a newer server may start a command with; undefined: it cannot be read. */
export function rowsFor({ approval, hash, canonical, expires }: Request): string[][] | undefined {
  const request = parsed(canonical);
  if (!isRecord(request)) return undefined;
  const { by, hosts, request: started, ...more } = request;
  if (!isRecord(started)) return undefined;
  const { command, env, ...others } = started;
  if (typeof by !== 'string' || !isTexts(hosts) || !isRecord(command)) return undefined;
  const what =
    typeof command['line'] === 'string'
      ? ['shell line', command['line']]
      : ['program', JSON.stringify(command['argv'])];
  const facts = [...Object.entries(isRecord(env) ? env : {}), ...Object.entries({ ...more, ...others })];
  return [
    ['request', `${approval}, until ${localTime(expires)}`],
    ['by', by],
    ['on', formatNodeSet(hosts)],
    what,
    ...facts.map(([name, value]) => [name, JSON.stringify(value)]),
    ['sha256', hash],
  ];
}

/** A server may say anything, with the digest of that. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
