// `partyline revoke`: an account ends, with its tokens and sessions; or an invitation is taken back.

import type { Client } from '../client/mod.ts';
import { oneExpected, parseOnce } from './kit/arguments.ts';
import { quote } from '../protocol/text.ts';
import { misuse, whileIn } from './kit/come-in.ts';
import { jsonLine } from './kit/json-line.ts';
import { COMMON, COMMON_HELP, CREDENTIAL_HELP, hostOf, readCommandLine } from './kit/options.ts';
import { print } from './kit/print.ts';

export const HELP = `End an account, or take an invitation back

Usage: partyline revoke NAME

${COMMON_HELP}

The account's connections are closed and its tokens count no more. Its name stays taken for good: nobody is to be taken for
somebody who was here. A machine's may be given to a machine again, with partyline invite NAME --as host. A machine that was
only set up anew needs no revoke, just such an invitation: its old key counts no more once the new one has joined.

${CREDENTIAL_HELP}

Examples:
  partyline revoke bob
  partyline revoke web1 --host lab.example
`;

export async function revoke(args: string[]): Promise<number> {
  const read = readCommandLine('revoke', () => parseOnce({ args, allowPositionals: true, options: COMMON }));
  if (typeof read === 'number') return read;
  const { values, positionals } = read;
  const [name] = positionals;
  if (name === undefined || positionals.length > 1) return misuse('revoke', oneExpected('NAME', positionals.length));
  return whileIn({ command: 'revoke', host: hostOf(values.host) }, async (client) => {
    const revoked = await client.revoke(name);
    if (values.json) await print(jsonLine({ name, revoked }));
    else
      await print(
        `The ${revoked} of ${quote(name)} is revoked${revoked === 'account' ? await rest(client, name) : ''}\n`,
      );
    return 0;
  });
}

/** What becomes of the name. */
async function rest(client: Client, given: string): Promise<string> {
  const { accounts } = await client.accounts();
  const plain = (name: string) => name.normalize('NFC').toLowerCase();
  const isMachine = accounts.some(({ name, kind }) => kind === 'host' && plain(name) === plain(given));
  return isMachine
    ? `; its name is kept for a machine: partyline invite ${given} --as host lets one in under it again`
    : '; its name stays taken for good';
}
