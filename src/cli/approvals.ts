// `partyline approvals`: commands that wait for a second person.

import { parseOnce } from './kit/arguments.ts';
import { whileIn } from './kit/come-in.ts';
import { jsonLine } from './kit/json-line.ts';
import { COMMON, COMMON_HELP, CREDENTIAL_HELP, hostOf, readOptions } from './kit/options.ts';
import { print, table } from './kit/print.ts';
import { localTime } from './kit/time.ts';

export const HELP = `List the commands that wait for somebody to approve them: those that you may approve, and your own

Usage: partyline approvals

${COMMON_HELP}

${CREDENTIAL_HELP}

Examples:
  partyline approvals
  partyline approvals --json | jq -r 'select(.own | not).approval'
`;

/** Of a digest: enough to tell one from another. */
const SHOWN_DIGITS = 12;

export async function approvals(args: string[]): Promise<number> {
  const values = readOptions('approvals', () => parseOnce({ args, allowPositionals: true, options: COMMON }));
  if (typeof values === 'number') return values;
  return whileIn({ command: 'approvals', host: hostOf(values.host) }, async (client) => {
    const waiting = await client.approvals();
    if (values.json) await print(waiting.map((one) => jsonLine(one)).join(''));
    else if (waiting.length === 0) process.stderr.write('Nothing waits for approval\n');
    else {
      const rows = waiting.map(({ approval, hash, by, own, expires, request }) => {
        const until = `until ${localTime(expires)}`;
        return [`${approval}`, hash.slice(0, SHOWN_DIGITS), until, own ? `${by} (you)` : by, request];
      });
      await print(table(rows));
    }
    return 0;
  });
}
