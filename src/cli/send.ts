// `partyline send`: one message, stored for good before the command ends.

import { joinNames, oneExpected, parseOnce, readNames } from './kit/arguments.ts';
import { escapeControls } from '../protocol/text.ts';
import { formatReceipt } from '../protocol/line/reply.ts';
import { fail, misuse, whileIn } from './kit/come-in.ts';
import { readInput } from './kit/input.ts';
import { jsonLine } from './kit/json-line.ts';
import { COMMON, COMMON_HELP, CREDENTIAL_HELP, hostOf, readCommandLine } from './kit/options.ts';
import { print } from './kit/print.ts';

export const HELP = `Send a message to one, several, a group or everyone

Usage: partyline send --to NAMES TEXT

  --to NAMES         bob or bob,eve or 'bob eve' or '#ops' or all; repeatable
  TEXT               one argument; - for standard input, less one line end
  --key KEY          the same key is the same message for a day, however often it is sent
${COMMON_HELP}

It ends when the message is stored, and says for each name whether it was delivered or is stored until it is fetched. If
one of the names is unknown nothing is sent to anybody (status 1). A machine reads no messages: partyline run --on NAME is
how it is told to do something.

${CREDENTIAL_HELP}

Examples:
  partyline send --to bob 'lunch at one?'
  partyline send --to '#ops,eve' --host lab.example 'the disk is full'
  df -h | partyline send --to all -
  partyline send --json --to bob --key "backup-$(date +%F)" 'backup done' | jq .id
`;

/** Bytes of a text; a server takes no longer one. */
const MAX_TEXT_BYTES = 65_536;

export async function send(args: string[]): Promise<number> {
  const read = readCommandLine('send', () =>
    parseOnce({
      args,
      allowPositionals: true,
      options: { ...COMMON, to: { type: 'string', multiple: true }, key: { type: 'string' } },
    }),
  );
  if (typeof read === 'number') return read;
  const { values, positionals } = read;
  const names = joinNames(values.to);
  const to = readNames(names ?? '');
  if (names === undefined) return misuse('send', '--to NAMES is missing');
  if (to.includes('')) return misuse('send', '--to takes names with commas between them');
  const [given] = positionals;
  if (given === undefined || positionals.length > 1) {
    return misuse('send', `${oneExpected('TEXT', positionals.length)}; quote what has spaces in it`);
  }
  const text = given === '-' ? await readInput(MAX_TEXT_BYTES) : given;
  if (text === undefined)
    return fail('send', `Cannot send the text: it has more than ${MAX_TEXT_BYTES} bytes, or is not UTF-8`);
  const key = values.key === undefined ? {} : { key: values.key };
  return whileIn({ command: 'send', host: hostOf(values.host) }, async (client) => {
    const sent = await client.send(to, text, key);
    const { id, at, repeat, leftOut } = sent;
    const rest = leftOut === undefined ? {} : { leftOut };
    const more = leftOut === undefined ? '' : ` and ${leftOut} more`;
    if (values.json) await print(jsonLine({ id, at, to: Object.fromEntries(sent.to), ...rest, repeat }));
    else
      await print(`${escapeControls(formatReceipt(id, sent.to).trimEnd())}${more}${repeat ? ' (sent before)' : ''}\n`);
    return 0;
  });
}
