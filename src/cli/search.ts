// `partyline search`: what was said with these words in it.

import { parseOnce } from './kit/arguments.ts';
import type { Found } from '../client/mod.ts';
import { misuse, whileIn } from './kit/come-in.ts';
import { jsonLine } from './kit/json-line.ts';
import {
  COMMON,
  COMMON_HELP,
  CREDENTIAL_HELP,
  hostOf,
  joinNumbers,
  readCommandLine,
  readNumbers,
} from './kit/options.ts';
import { conclude, lineOf } from './kit/past.ts';
import { bold, print } from './kit/print.ts';

export const HELP = `Search what you said and were told

Usage: partyline search WORDS

  WORDS              all of them, in any order; 'back*' finds every word that begins so
  --limit N          the newest N (20), oldest first; there is no upper limit
  --before ID        only what came before this message
${COMMON_HELP}

Case and accents count for nothing.

${CREDENTIAL_HELP}

Examples:
  partyline search disk full
  partyline search --json --limit 1 backup | jq -r .text
`;

/** Messages that fit a terminal. */
const DEFAULT_LIMIT = 20;
/** Messages of one answer. */
const PAGE = 1_000;

export async function search(args: string[]): Promise<number> {
  const read = readCommandLine('search', () =>
    parseOnce({
      args: joinNumbers(args),
      allowPositionals: true,
      options: { ...COMMON, limit: { type: 'string' }, before: { type: 'string' } },
    }),
  );
  if (typeof read === 'number') return read;
  const { values, positionals } = read;
  const words = positionals.join(' ').trim();
  if (words === '') return misuse('search', 'WORDS are missing');
  const numbers = readNumbers(values, ['limit', 'before']);
  if (typeof numbers === 'string') return misuse('search', numbers);
  const { limit = DEFAULT_LIMIT } = numbers;
  return whileIn({ command: 'search', host: hostOf(values.host) }, async (client) => {
    const found: Found['messages'][number][][] = [];
    let { before } = numbers;
    // From the newest page back: what was found is short, so the pages are kept until they can be shown in order.
    for (let left = limit; left > 0;) {
      const wishes = { limit: Math.min(left, PAGE), ...(before === undefined ? {} : { before }) };
      const { messages, more, before: unseen } = await client.search(words, wishes);
      found.unshift([...messages]);
      left -= messages.length;
      before = unseen ?? messages[0]?.id;
      if (!more || before === undefined) break;
    }
    const messages = found.flat();
    for (const message of messages) {
      if (!(await print(values.json ? jsonLine(message) : shownFound(message)))) break;
    }
    const isEmpty = messages.length === 0;
    return conclude('search', { with: undefined, isUnknown: false, isEmpty, isJson: values.json });
  });
}

/** With what was found in bold, where bold can be. */
function shownFound(message: Found['messages'][number]): string {
  const [start = '', ...parts] = message.snippet.split('\u0002');
  const words = parts.map((part) => part.split('\u0003')[0] ?? '').filter((word) => word !== '');
  const line = lineOf({ ...message, text: [start, ...parts].join('').replaceAll('\u0003', '') });
  return [...new Set(words)].reduce((text, word) => text.replaceAll(word, bold(word)), line);
}
