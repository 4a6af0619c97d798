// `partyline revoke`: an account ends, with its tokens and sessions; or an invitation is taken back.

import { parseOnce } from './kit/arguments.ts';
import { quote } from '../protocol/text.ts';
import { misuse, whileIn } from './kit/come-in.ts';
import { jsonLine } from './kit/json-line.ts';
import { COMMON, COMMON_HELP, CREDENTIAL_HELP, hostOf, readCommandLine } from './kit/options.ts';
import { print } from './kit/print.ts';

export const HELP = `End an account, or take an invitation back

Usage: partyline revoke NAME

${COMMON_HELP}

The account's connections are closed, its tokens count no more, and its name stays taken.

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
  if (name === undefined || positionals.length > 1)
    return misuse('revoke', `one NAME is expected, not ${positionals.length}`);
  return whileIn({ command: 'revoke', host: hostOf(values.host) }, async (client) => {
    const revoked = await client.revoke(name);
    await print(values.json ? jsonLine({ name, revoked }) : `The ${revoked} of ${quote(name)} is revoked\n`);
    return 0;
  });
}
