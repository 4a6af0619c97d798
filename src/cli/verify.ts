// `partyline verify`: is a journal whole, and what is wrong if it is not.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stateDirectory } from '../config/state.ts';
import { lostFrom, verifyJournal } from '../journal/verify.ts';
import { escapeControls } from '../protocol/text.ts';
import { jsonLine } from './json-line.ts';
import { JOURNAL_FILE, readJournalArguments } from './journal.ts';
import { FAILURE_STATUS } from './status.ts';

export const HELP = `Is the journal of a server whole, or a copy of one

Usage: partyline verify [--data DIR]
       partyline verify FILE

  --data DIR    the server's directory (PARTYLINE_DATA, else the platform's state directory)
  --json        one JSON object: journal, isWhole, problems, lost

FILE is a copy that partyline backup made. Status 0, or 1 with what is wrong, a line each. The server may run meanwhile; a
copy is looked at, which takes as much space beside the journal for the time.

Examples:
  partyline verify
  partyline verify --data /var/lib/partyline --json | jq .problems
  partyline verify /var/backups/partyline-2026-11-22
`;

export async function verify(args: string[]): Promise<number> {
  const read = readJournalArguments('verify', args);
  if (typeof read === 'number') return read;
  const journal = read.file ?? join(read.data ?? stateDirectory(), JOURNAL_FILE);
  const problems = existsSync(journal)
    ? await verifyJournal(journal)
    : [`Cannot verify ${journal}: there is no such file`];
  const isWhole = problems.length === 0;
  const lost = isWhole ? lostFrom(journal) : [];
  if (read.json) process.stdout.write(jsonLine({ journal, isWhole, problems, lost }));
  else if (isWhole) process.stdout.write(`${escapeControls(`${journal} is whole${withoutLost(lost)}`)}\n`);
  else for (const problem of problems) process.stderr.write(`partyline verify: ${escapeControls(problem)}\n`);
  return isWhole ? 0 : FAILURE_STATUS;
}

/** What is known to be lost since the journal was saved from damage: nothing more is missing. */
function withoutLost(lost: ReturnType<typeof lostFrom>): string {
  if (lost.length === 0) return '';
  const ids = lost.map(({ first, last }) => (first === last ? `${first}` : `${first} to ${last}`));
  return `, but for what was lost before it was saved from a damaged one: messages ${ids.join(', ')}`;
}
