// `partyline invite`: a name is kept for somebody, who comes in with a code.

import { oneExpected, parseOnce } from './kit/arguments.ts';
import type { Invitation } from '../client/mod.ts';
import { NATIVE, readTarget } from '../client/reach.ts';
import { formatHostPort, formatUrl } from '../net/address.ts';
import { isLoopbackAddress, normaliseAddress } from '../net/peer.ts';
import { escapeControls } from '../protocol/text.ts';
import { misuse, whileIn } from './kit/come-in.ts';
import { placesOf, type Places } from './invite/places.ts';
import { jsonLine } from './kit/json-line.ts';
import { COMMON, COMMON_HELP, CREDENTIAL_HELP, hostOf, readCommandLine } from './kit/options.ts';
import { print } from './kit/print.ts';
import { localTime } from './kit/time.ts';

export const HELP = `Invite somebody, or a machine, under a name

Usage: partyline invite NAME [--role ROLE] [--as host]

  --role ROLE        member (without it) or operator
  --as KIND          person (without it), bot or host, a machine that is to take commands
${COMMON_HELP}

It prints a code, which counts once and for 24 hours, a host's for one hour, and the ways to use it: where the owner asks on the
server's machine, by a name or address that leads there from elsewhere, if the server listens on one. The name is taken from
now on. Inviting the same name again makes a new code, and the one before is worth nothing. An account that has lost its
password comes back the same way, and so does a machine that was set up anew: its old key counts no more once the new one
has joined. A machine's name that was revoked may be given to a machine again.

${CREDENTIAL_HELP}

Examples:
  partyline invite bob
  partyline invite eve --role operator --host lab.example
  partyline invite web1 --as host --json | jq -r .code
`;

/** Of a server that tells its owner alone where it listens. */
const FROM_HERE =
  'this leads to this machine; for somebody elsewhere put an address that the server listens on in the place of the host, which its owner knows';
const HERE_ALONE =
  "this is for somebody on this machine, where alone the server listens; partyline serve --listen 'tls://*:7270' is reached from elsewhere, too";

const ROLES = ['member', 'operator'] as const;
const KINDS = ['person', 'bot', 'host'] as const;

export async function invite(args: string[]): Promise<number> {
  const read = readCommandLine('invite', () =>
    parseOnce({
      args,
      allowPositionals: true,
      options: { ...COMMON, role: { type: 'string' }, as: { type: 'string' } },
    }),
  );
  if (typeof read === 'number') return read;
  const { values, positionals } = read;
  const [name] = positionals;
  if (name === undefined || positionals.length > 1) return misuse('invite', oneExpected('NAME', positionals.length));
  const role = ROLES.find((known) => known === values.role);
  const kind = KINDS.find((known) => known === values.as);
  if (values.role !== undefined && role === undefined) return misuse('invite', `--role takes ${ROLES.join(' or ')}`);
  if (values.as !== undefined && kind === undefined) return misuse('invite', `--as takes ${KINDS.join(', ')}`);
  const host = hostOf(values.host);
  return whileIn({ command: 'invite', host }, async (client) => {
    const isLoopback = isLoopbackName(targetOf(host).name);
    const found = isLoopback ? await placesOf(client) : undefined;
    const places = found?.listens === 'beyond' ? found.places : [];
    const [place = host] = places;
    const wishes = { ...(role === undefined ? {} : { role }), ...(kind === undefined ? {} : { kind }) };
    const invitation = await client.invite(name, wishes);
    // Beyond this machine the program speaks TLS by itself.
    const isPlain = place === host && client.server?.fingerprint === undefined;
    const isHost = invitation.kind === 'host';
    const { code } = invitation;
    const ways = isHost ? { join: `partyline join ${place} --code ${code}` } : waysIn({ host: place, isPlain, code });
    const known = places.length === 0 ? {} : { places };
    if (values.json) await print(jsonLine({ ...invitation, ...ways, ...known }));
    else await print(`${[...wordsFor(invitation), ...Object.values(ways)].map(escapeControls).join('\n')}\n`);
    const hint = found === undefined ? undefined : wordsForPlaces(found);
    if (hint !== undefined) process.stderr.write(`partyline invite: ${escapeControls(hint)}\n`);
    return 0;
  });
}

function wordsForPlaces(found: Places): string | undefined {
  switch (found.listens) {
    case 'untold':
      return FROM_HERE;
    case 'here':
      return HERE_ALONE;
    case 'beyond': {
      const [first, ...others] = found.places;
      if (first === undefined) return beyondBy(found.urls);
      return others.length === 0 ? undefined : `the server can be met at these, too: ${others.join(', ')}`;
    }
  }
}

/** To an owner who has come in by a token, from whichever machine. */
function beyondBy(urls: readonly string[]): string {
  return (
    `this leads to this machine, and the server listens beyond it, on ${urls.join(', ')}: for somebody elsewhere ` +
    "put an address of the server's machine, which is not known here, and that port in the place of the host"
  );
}

function wordsFor({ name, role, kind, expires, code, replaced, existing }: Invitation): string[] {
  const isMachine = kind === 'host';
  const about = `${name} is invited as ${isMachine ? 'a machine' : role} until ${localTime(expires)}, with the code ${code}`;
  const takenOver = isMachine
    ? `${name} has joined already: the machine that joins with this code takes its place, and the key of the one before counts no more then`
    : `${name} has an account already: whoever has this code takes it over and sets its password anew; its tokens stay`;
  return [
    about,
    ...(existing ? [takenOver] : []),
    ...(replaced ? [`The earlier code of ${name} no longer works`] : []),
  ];
}

interface Way {
  readonly host: string;
  /** The server is spoken to in plain text from here; so will be whoever is on this machine. */
  readonly isPlain: boolean;
  readonly code: string;
}

/** What the invited one does; in a link the code stands behind `#`, which no browser sends. */
export function waysIn({ host, isPlain, code }: Way): Readonly<Record<string, string>> {
  const { name, port } = targetOf(host);
  // Towards this machine plain text is what is spoken unless the scheme says otherwise.
  const scheme = !isPlain && isLoopbackName(name) ? 'tls://' : '';
  return {
    link: `${formatUrl(isPlain ? 'http' : 'https', name, port)}/#code=${code}`,
    nc: `${isPlain ? 'nc' : 'ncat --ssl'} ${name} ${port}, and there: login ${code}`,
    login: `partyline login --host ${scheme}${formatHostPort(name, port)} --code ${code}`,
  };
}

function targetOf(host: string): { readonly name: string; readonly port: number } {
  const target = readTarget(host, NATIVE);
  return 'wrong' in target ? { name: host, port: 7270 } : { name: target.host, port: target.port };
}

function isLoopbackName(name: string): boolean {
  return name.toLowerCase() === 'localhost' || isLoopbackAddress(normaliseAddress(name));
}
