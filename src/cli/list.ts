// `partyline list`: who is here.

import { parseOnce } from './kit/arguments.ts';
import { whileIn } from './kit/come-in.ts';
import { jsonLine } from './kit/json-line.ts';
import { COMMON, COMMON_HELP, CREDENTIAL_HELP, hostOf, readOptions } from './kit/options.ts';
import { print, table } from './kit/print.ts';
import { localTime } from './kit/time.ts';

export const HELP = `List who is here, in order of arrival

Usage: partyline list

${COMMON_HELP}

Looking makes nobody present.

${CREDENTIAL_HELP}

Examples:
  partyline list
  partyline list --host lab.example --json | jq -r .name
`;

export async function list(args: string[]): Promise<number> {
  const values = readOptions('list', () => parseOnce({ args, allowPositionals: true, options: COMMON }));
  if (typeof values === 'number') return values;
  return whileIn({ command: 'list', host: hostOf(values.host) }, async (client) => {
    const members = await client.list();
    if (values.json) await print(members.map((member) => jsonLine(member)).join(''));
    else if (members.length === 0) await print('Nobody is here\n');
    else await print(table(members.map(({ name, kind, since, family }) => [name, kind, localTime(since), family])));
    return 0;
  });
}
