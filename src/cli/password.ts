// `partyline password`: another password for one's account.

import { parseOnce } from './kit/arguments.ts';
import { fail, misuse, whileIn } from './kit/come-in.ts';
import { Questions } from './kit/input.ts';
import { jsonLine } from './kit/json-line.ts';
import { COMMON, COMMON_HELP, CREDENTIAL_HELP, hostOf, readCommandLine } from './kit/options.ts';
import { print } from './kit/print.ts';
import { askNewPassword } from './kit/secret.ts';

export const HELP = `Set the password of your account

Usage: partyline password

${COMMON_HELP}

It is asked for twice on a terminal; else it is one line of standard input. Tokens go on to count.

${CREDENTIAL_HELP}

Examples:
  partyline password
  partyline password --host lab.example < new-password
`;

/** Said after it was set: until then only the token on this machine made an owner. */
const OWNER_WARNING =
  'whoever knows it is the owner, from elsewhere too where TLS is listened on, and may run commands on the server';

export async function password(args: string[]): Promise<number> {
  const read = readCommandLine('password', () => parseOnce({ args, allowPositionals: true, options: COMMON }));
  if (typeof read === 'number') return read;
  const { values, positionals } = read;
  if (positionals.length > 0) return misuse('password', 'nothing secret is taken from arguments; it is asked for');
  const given = await askNewPassword(new Questions(), 'New password');
  if (given === 'none') return fail('password', 'Cannot set the password: none was given');
  if ('failed' in given) return fail('password', `Cannot set the password: ${given.failed}`);
  return whileIn({ command: 'password', host: hostOf(values.host) }, async (client) => {
    await client.setPassword(given.secret);
    const { name = '', role } = client.identity ?? {};
    if (role === 'owner') process.stderr.write(`partyline password: ${OWNER_WARNING}\n`);
    await print(values.json ? jsonLine({ name }) : 'The password is set\n');
    return 0;
  });
}
