// `partyline members`: who has an account, and who is invited.

import { parseOnce } from './kit/arguments.ts';
import { whileIn } from './kit/come-in.ts';
import { jsonLine } from './kit/json-line.ts';
import { COMMON, COMMON_HELP, CREDENTIAL_HELP, hostOf, readOptions } from './kit/options.ts';
import { print, table } from './kit/print.ts';
import { localTime } from './kit/time.ts';

export const HELP = `List the accounts, and for operators and the owner the invitations

Usage: partyline members

${COMMON_HELP}

${CREDENTIAL_HELP}

Examples:
  partyline members
  partyline members --json | jq -r 'select(.type == "invitation").name'
`;

export async function members(args: string[]): Promise<number> {
  const values = readOptions('members', () => parseOnce({ args, allowPositionals: true, options: COMMON }));
  if (typeof values === 'number') return values;
  return whileIn({ command: 'members', host: hostOf(values.host) }, async (client) => {
    const { accounts, invitations = [] } = await client.accounts();
    if (values.json) {
      const lines = [
        ...accounts.map((account) => jsonLine({ type: 'account', ...account })),
        ...invitations.map((invitation) => jsonLine({ type: 'invitation', ...invitation })),
      ];
      await print(lines.join(''));
      return 0;
    }
    const again = new Map(invitations.map(({ name, expires }) => [name, expires]));
    const rows = [
      ...accounts.map(({ name, role, kind, since, invitedBy, revoked }) => {
        const by = invitedBy === null ? '' : `, invited by ${invitedBy}`;
        const until = again.get(name);
        const code =
          until === undefined
            ? ''
            : `, a code that ${revoked ? 'gives the name again' : 'takes it over'} until ${localTime(until)}`;
        again.delete(name);
        return [name, role, kind, `${revoked ? 'revoked, ' : ''}since ${localTime(since)}${by}${code}`];
      }),
      ...invitations
        .filter(({ name }) => again.has(name))
        .map(({ name, role, kind, expires }) => [name, role, kind, `invited until ${localTime(expires)}`]),
    ];
    await print(table(rows));
    return 0;
  });
}
