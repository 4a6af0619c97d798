// `partyline backup`: a copy of a server's journal, while it runs or not.

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { stateDirectory } from '../config/state.ts';
import { backupJournal } from '../journal/backup.ts';
import { escapeControls } from '../protocol/text.ts';
import { whyUnusable } from './arguments.ts';
import { jsonLine } from './json-line.ts';
import { JOURNAL_FILE } from './journal-file.ts';
import { FAILURE_STATUS, USAGE_STATUS } from './status.ts';

export const HELP = `Copy the journal of a server: messages, accounts, invitations, groups

Usage: partyline backup [--data DIR] FILE

  --data DIR    the server's directory (PARTYLINE_DATA, else the platform's state directory)
  --json        one JSON object

The server may run meanwhile: what it had stored when the copy began is in it. FILE must not exist; it is there whole or
not at all, with mode 0600. The owner token and the TLS key are not in it: copy those files yourself if they are to stay.

Examples:
  partyline backup /var/backups/partyline-$(date +%F)
  partyline backup --data /var/lib/partyline copy.db && partyline restore copy.db --data /srv/new
`;

export async function backup(args: string[]): Promise<number> {
  let read;
  try {
    read = parseArgs({
      args,
      allowPositionals: true,
      options: { data: { type: 'string' }, json: { type: 'boolean', default: false } },
    });
  } catch (error) {
    return say(whyUnusable(error), USAGE_STATUS);
  }
  const { values, positionals } = read;
  const [file] = positionals;
  if (file === undefined || positionals.length > 1)
    return say(`one FILE is expected, not ${positionals.length}`, USAGE_STATUS);
  const path = join(values.data ?? stateDirectory(), JOURNAL_FILE);
  try {
    await backupJournal(path, file);
  } catch (error) {
    return say(error instanceof Error ? error.message : String(error), FAILURE_STATUS);
  }
  process.stdout.write(
    values.json ? jsonLine({ file, journal: path }) : `${escapeControls(`Copied ${path} to ${file}`)}\n`,
  );
  return 0;
}

function say(reason: string, status: number): number {
  process.stderr.write(`partyline backup: ${reason}\n`);
  return status;
}
