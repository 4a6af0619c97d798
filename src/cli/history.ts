// `partyline history`: what one said and was told, oldest first, written as it comes.

import { whileIn } from './kit/come-in.ts';
import { COMMON_HELP, CREDENTIAL_HELP, hostOf } from './kit/options.ts';
import { readPastOptions } from './kit/past-options.ts';
import { conclude, writeMessages } from './kit/past.ts';

export const HELP = `Read what you said and were told, oldest first

Usage: partyline history [OPTION...]

  --with NAME        only with this member, with this #group, or broadcasts (all)
  --limit N          the newest N (20), or after an id the oldest N; there is no upper limit
  --before ID        only what came before this message
  --after ID         only what came after it, all of it unless --limit says less; --after 0 is everything
${COMMON_HELP}

${CREDENTIAL_HELP}

Examples:
  partyline history
  partyline history --with bob --limit 5000 | less
  partyline history --after 0 --json > everything.jsonl
`;

/** Messages that fit a terminal. */
const DEFAULT_LIMIT = 20;

export async function history(args: string[]): Promise<number> {
  const read = readPastOptions('history', args, ['limit', 'before', 'after']);
  if (typeof read === 'number') return read;
  const { host, isJson, partner, numbers } = read;
  const limit = numbers.limit ?? (numbers.after === undefined ? DEFAULT_LIMIT : undefined);
  const wishes = {
    ...numbers,
    ...(limit === undefined ? {} : { limit }),
    ...partner,
  };
  return whileIn({ command: 'history', host: hostOf(host) }, async (client) => {
    let isUnknown = false;
    let count = 0;
    const messages = client.history({ ...wishes, onUnknown: () => (isUnknown = true) });
    const isRead = await writeMessages(messages, { isJson, onWritten: (written) => (count = written) });
    return conclude('history', { with: read.with, isUnknown, isEmpty: isRead && count === 0, isJson });
  });
}
