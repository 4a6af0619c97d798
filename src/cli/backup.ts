// `partyline backup`: a copy of a server's journal, while it runs or not; or what is intact of one that is damaged.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { lockDirectory, TakenError } from '../config/lock.ts';
import { stateDirectory } from '../config/state.ts';
import { backupJournal, isWhole, salvageJournal } from '../journal/backup.ts';
import type { Lost, Place } from '../journal/salvage.ts';
import { escapeControls } from '../protocol/text.ts';
import { jsonLine } from './kit/json-line.ts';
import { fail, JOURNAL_FILE, readCopyArguments } from './kit/journal.ts';

export const HELP = `Copy the journal of a server: messages, accounts, invitations, groups

Usage: partyline backup [--data DIR] FILE
       partyline backup --salvage [--data DIR] FILE

  --data DIR    the server's directory (PARTYLINE_DATA, else the platform's state directory)
  --salvage     of a journal whose log is damaged, what is intact; no server may run on it, and one that is whole is refused
  --json        one JSON object

The server may run meanwhile: what it had stored when the copy began is in it. FILE must not exist; it is there whole or
not at all, with mode 0600: the copy is looked at as partyline verify does, and removed if anything is wrong with it. The owner token and the TLS key are not in it: copy those files yourself if they are to stay.

With --salvage FILE is a journal of its own: all of the database, and every part of the log whose checksum is right. What was
lost is said, by the ids of the messages and the bytes of the files; new messages get ids behind all that were given, as far as
anything knows of them. The damaged files stay as they are. Clients notice that it is another journal, as after a restore.

Examples:
  partyline backup /var/backups/partyline-$(date +%F)
  partyline backup --data /var/lib/partyline copy.db && partyline restore copy.db --data /srv/new
  partyline backup --salvage --data /var/lib/partyline saved.db
`;

export async function backup(args: string[]): Promise<number> {
  const read = readCopyArguments('backup', args, { salvage: { type: 'boolean' } });
  if (typeof read === 'number') return read;
  const { file, data, json } = read;
  const directory = data ?? stateDirectory();
  const journal = join(directory, JOURNAL_FILE);
  if (read.isSalvaging) return salvage({ file, directory, journal, json });
  try {
    await backupJournal(journal, file);
  } catch (error) {
    return fail('backup', error);
  }
  process.stdout.write(json ? jsonLine({ file, journal }) : `${escapeControls(`Copied ${journal} to ${file}`)}\n`);
  return 0;
}

interface Salvaging {
  readonly file: string;
  readonly directory: string;
  readonly journal: string;
  readonly json: boolean;
}

async function salvage({ file, directory, journal, json }: Salvaging): Promise<number> {
  const attempt = `Cannot save what is intact of the journal ${journal} to ${file}`;
  if (!existsSync(journal)) return fail('backup', `${attempt}: ${journal} is not there`);
  try {
    // No server starts on it while we are at it, and none runs there.
    const lock = lockDirectory(directory);
    try {
      if (await isWhole(journal)) return fail('backup', `${attempt}: nothing is damaged; use partyline backup`);
      const { kept, lost, unread, next } = await salvageJournal(journal, file, Date.now());
      const say = json
        ? jsonLine({ file, journal, kept, lost, unread, next })
        : [...formatLost(lost), ...formatUnread(unread), ...formatNext({ file, directory, next })]
            .map((line) => `${escapeControls(line)}\n`)
            .join('');
      process.stdout.write(say);
      return 0;
    } finally {
      lock.release();
    }
  } catch (error) {
    return fail('backup', error instanceof TakenError ? `${attempt}: a server runs on it; stop it first` : error);
  }
}

function formatLost(lost: readonly Lost[]): string[] {
  return lost.map(({ first, last, places }) => {
    const ids = first === last ? `Message ${first} is` : `Messages ${first} to ${last} are`;
    const where = places.map(formatPlace).join(', ');
    return `${ids} lost: ${where === '' ? 'no file of the log has them' : where}`;
  });
}

function formatPlace({ file, from, to }: Place): string {
  return `${file} bytes ${from} to ${to - 1}`;
}

function formatUnread(unread: readonly Place[]): string[] {
  return unread.map((place) => `No message can be read, if there was one: ${formatPlace(place)}`);
}

function formatNext({ file, directory, next }: { file: string; directory: string; next: number }): string[] {
  const aside = `Move ${JOURNAL_FILE} and ${JOURNAL_FILE}-* out of ${directory} and keep them`;
  return [
    `Saved everything else to ${file}; the next message will be ${next}`,
    `${aside}, then: partyline restore ${file} --data ${directory}`,
  ];
}
