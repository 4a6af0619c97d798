// `partyline whoami`: who the server takes one for.

import { parseOnce } from './kit/arguments.ts';
import { formatIdentity } from '../protocol/line/reply.ts';
import { escapeControls } from '../protocol/text.ts';
import { serverOf, whileIn } from './kit/come-in.ts';
import { jsonLine } from './kit/json-line.ts';
import { COMMON, COMMON_HELP, CREDENTIAL_HELP, hostOf, readOptions } from './kit/options.ts';
import { print } from './kit/print.ts';

export const HELP = `Say who you are to a server, and in which role

Usage: partyline whoami

${COMMON_HELP}

${CREDENTIAL_HELP}

Examples:
  partyline whoami
  partyline whoami --host lab.example --json | jq -r .role
`;

export async function whoami(args: string[]): Promise<number> {
  const values = readOptions('whoami', () => parseOnce({ args, allowPositionals: true, options: COMMON }));
  if (typeof values === 'number') return values;
  const host = hostOf(values.host);
  return whileIn({ command: 'whoami', host }, async (client) => {
    const { name = '', role = '' } = client.identity ?? {};
    const server = serverOf(host);
    if (values.json) await print(jsonLine({ name, role, host: server }));
    else await print(formatIdentity({ name: escapeControls(name), role, rightsOf: undefined }, server));
    return 0;
  });
}
