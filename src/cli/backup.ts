// `partyline backup`: a copy of a server's journal, while it runs or not.

import { join } from 'node:path';
import { stateDirectory } from '../config/state.ts';
import { backupJournal } from '../journal/backup.ts';
import { escapeControls } from '../protocol/text.ts';
import { jsonLine } from './json-line.ts';
import { fail, JOURNAL_FILE, readCopyArguments } from './journal.ts';

export const HELP = `Copy the journal of a server: messages, accounts, invitations, groups

Usage: partyline backup [--data DIR] FILE

  --data DIR    the server's directory (PARTYLINE_DATA, else the platform's state directory)
  --json        one JSON object

The server may run meanwhile: what it had stored when the copy began is in it. FILE must not exist; it is there whole or
not at all, with mode 0600: the copy is looked at as partyline verify does, and removed if anything is wrong with it. The owner token and the TLS key are not in it: copy those files yourself if they are to stay.

Examples:
  partyline backup /var/backups/partyline-$(date +%F)
  partyline backup --data /var/lib/partyline copy.db && partyline restore copy.db --data /srv/new
`;

export async function backup(args: string[]): Promise<number> {
  const read = readCopyArguments('backup', args);
  if (typeof read === 'number') return read;
  const { file, data, json } = read;
  const journal = join(data ?? stateDirectory(), JOURNAL_FILE);
  try {
    await backupJournal(journal, file);
  } catch (error) {
    return fail('backup', error);
  }
  process.stdout.write(json ? jsonLine({ file, journal }) : `${escapeControls(`Copied ${journal} to ${file}`)}\n`);
  return 0;
}
