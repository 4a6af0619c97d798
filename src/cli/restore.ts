// `partyline restore`: a copy of a journal becomes that of a server which is to be started.

import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { lockDirectory } from '../config/lock.ts';
import { backupJournal } from '../journal/backup.ts';
import { segmentPath, segmentsOf } from '../journal/segment.ts';
import { escapeControls, quote } from '../protocol/text.ts';
import { jsonLine } from './kit/json-line.ts';
import { fail, JOURNAL_FILE, misuse, readCopyArguments } from './kit/journal.ts';

export const HELP = `Put a copy of a journal into a server's directory

Usage: partyline restore FILE --data DIR

  --data DIR    the directory of a server that does not run; it is made if it is missing
  --json        one JSON object

The copy is verified first. A journal that is there already is never overwritten: move it away yourself.

Examples:
  partyline restore copy.db --data /var/lib/partyline
  partyline restore copy.db --data ./try && partyline serve --data ./try --listen tcp://localhost:0
`;

export async function restore(args: string[]): Promise<number> {
  const read = readCopyArguments('restore', args);
  if (typeof read === 'number') return read;
  const { file, data, json } = read;
  // Said, not guessed: the wrong directory would be somebody's.
  if (data === undefined) return misuse('restore', '--data DIR is missing');
  try {
    const journal = await restoreJournal(file, data);
    process.stdout.write(json ? jsonLine({ file, journal }) : `${escapeControls(`Restored ${file} to ${journal}`)}\n`);
    return 0;
  } catch (error) {
    return fail('restore', error);
  }
}

/** Where it is now. Throws an Error in words; the directory is as it was then. */
async function restoreJournal(file: string, directory: string): Promise<string> {
  const attempt = `Cannot restore ${quote(file)} to ${quote(directory)}`;
  if (!existsSync(file)) throw new Error(`${attempt}: there is no such file`);
  // No server starts on the directory while we are at it, and none runs there.
  const lock = lockDirectory(directory);
  const journal = join(directory, JOURNAL_FILE);
  const draft = join(directory, `restored-${process.pid}.db`);
  try {
    const left = [journal, `${journal}-wal`, ...segmentsOf(journal).map((number) => segmentPath(journal, number))];
    const there = left.find((path) => existsSync(path));
    if (there !== undefined) throw new Error(`${attempt}: there is a journal already, ${there}`);
    await backupJournal(file, draft, { attempt, isRenewed: true });
    renameSync(draft, journal);
  } catch (error) {
    for (const end of ['', '-wal', '-shm']) rmSync(draft + end, { force: true });
    lock.discard();
    throw error;
  }
  lock.release();
  return journal;
}
