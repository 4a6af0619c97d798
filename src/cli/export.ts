// `partyline export`: all that one said and was told, from the first message to the newest there is when it begins.

import type { Client, HistoryWishes, Message } from '../client/mod.ts';
import { whileIn } from './kit/come-in.ts';
import { COMMON_HELP, CREDENTIAL_HELP, hostOf } from './kit/options.ts';
import { readPastOptions } from './kit/past-options.ts';
import { conclude, writeMessages } from './kit/past.ts';
import { Progress } from './kit/progress.ts';

export const HELP = `Write all that you said and were told to standard output, oldest first

Usage: partyline export [OPTION...]

  --with NAME        only with this member, with this #group, or broadcasts (all)
  --before ID        only what came before this message
  --after ID         only what came after it
${COMMON_HELP}

It is read page by page, so its length does not matter, and ends with the message that was the newest when it began. The
next export goes on with --after and the last id of this one. How far it has come is shown on a terminal, if the output
goes elsewhere.

${CREDENTIAL_HELP}

Examples:
  partyline export > everything.txt
  partyline export --json | gzip > everything.jsonl.gz
  partyline export --json --with '#ops' --after 4711 | jq -r .text
`;

export async function exportPast(args: string[]): Promise<number> {
  const read = readPastOptions('export', args, ['before', 'after']);
  if (typeof read === 'number') return read;
  const { host, isJson, partner, numbers } = read;
  const { before, after = 0 } = numbers;
  const part = { ...partner, ...(before === undefined ? {} : { before }) };
  return whileIn({ command: 'export', host: hostOf(host) }, async (client) => {
    let isUnknown = false;
    const newest = await newestOf(client, { ...part, onUnknown: () => (isUnknown = true) });
    if (newest === undefined || newest.id <= after) {
      return conclude('export', { with: read.with, isUnknown, isEmpty: true, isJson });
    }
    const progress = isWatched() ? new Progress(process.stderr) : undefined;
    try {
      const messages = client.history({ ...part, after, before: newest.id + 1 });
      await writeMessages(messages, {
        isJson,
        onWritten: (count, { id }) => {
          const percent = Math.floor((100 * (id - after)) / (newest.id - after));
          progress?.show(`${count} messages, ${percent} %`, performance.now());
        },
      });
    } finally {
      progress?.clear();
    }
    return 0;
  });
}

/** What is sent while it is being written is not part of it: it ends, however busy the server is. */
async function newestOf(client: Client, part: HistoryWishes) {
  let newest: Message | undefined;
  for await (const message of client.history({ ...part, limit: 1 })) newest = message;
  return newest;
}

/** Somebody sees how far it has come, and not the messages themselves. */
function isWatched(): boolean {
  return process.stderr.isTTY && !process.stdout.isTTY;
}
