// `partyline share`: tells others of a run on record.

import { parseOnce, readNames } from './kit/arguments.ts';
import { formatReceipt } from '../protocol/line/reply.ts';
import { escapeControls, quote } from '../protocol/text.ts';
import { misuse, whileIn } from './kit/come-in.ts';
import { jsonLine } from './kit/json-line.ts';
import { COMMON, COMMON_HELP, CREDENTIAL_HELP, hostOf, readCommandLine, readRunId } from './kit/options.ts';
import { print } from './kit/print.ts';

export const HELP = `Send what is on record of a run as a message

Usage: partyline share ID NAMES

  NAMES              bob or bob,eve or '#ops' or all
${COMMON_HELP}

The message has the command, who ran it and where, how it ended, and the output, said once for all the machines that said
the same. What does not fit, or was not kept, is counted. You can share your own runs, the owner everybody's.

${CREDENTIAL_HELP}

Examples:
  partyline runs
  partyline share 17 bob,eve
  partyline share 17 '#ops'
`;

export async function share(args: string[]): Promise<number> {
  const read = readCommandLine('share', () => parseOnce({ args, allowPositionals: true, options: COMMON }));
  if (typeof read === 'number') return read;
  const { values, positionals } = read;
  const [given, names, another] = positionals;
  if (given === undefined || names === undefined || another !== undefined) {
    const missing = given === undefined ? 'ID and NAMES are missing' : 'NAMES are missing after ID';
    const surplus = `NAMES are one word, with commas between them, and ${quote(another ?? '')} is one more`;
    return misuse('share', another === undefined ? missing : surplus);
  }
  const run = readRunId(given);
  if (run === undefined) return misuse('share', `ID is the number of a run, not ${quote(given)}`);
  const to = readNames(names);
  if (to.includes('')) return misuse('share', 'NAMES are names with commas between them');
  return whileIn({ command: 'share', host: hostOf(values.host) }, async (client) => {
    const sent = await client.share(run, to);
    const { id, at } = sent;
    if (values.json) await print(jsonLine({ run, id, at, to: Object.fromEntries(sent.to) }));
    else await print(`${escapeControls(formatReceipt(id, sent.to).trimEnd())}\n`);
    return 0;
  });
}
