// `partyline verify`: is a journal whole, messages and records of runs, and what is wrong if it is not.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stateDirectory } from '../config/state.ts';
import { lostFrom, verifyJournal, type VerifyOptions } from '../journal/verify.ts';
import { escapeControls } from '../protocol/text.ts';
import { jsonLine } from './kit/json-line.ts';
import { JOURNAL_FILE, misuse, readVerifyArguments } from './kit/journal.ts';
import { FAILURE_STATUS } from './kit/status.ts';

export const HELP = `Is the journal of a server whole, or a copy of one

Usage: partyline verify [--head HASH] [--data DIR]
       partyline verify [--head HASH] FILE

  --head HASH   a record of a run that must be there, and so all before it
  --data DIR    the server's directory (PARTYLINE_DATA, else the platform's state directory)
  --json        one JSON object: journal, isWhole, problems, lost, records, head

Messages are compared with the log as far as it has them, and their words with what search has of them: one that was changed
is named, and where. Each record of a run is chained to the one before it: one that was changed, or is missing, is found.
That the last ones were taken away only a HASH shows which was kept elsewhere: machines that have joined keep the latest that
they were told in records-head of their state directory, and verify says what it is now.

FILE is a copy that partyline backup made. Status 0, or 1 with what is wrong, a line each. The server may run meanwhile; a
copy is looked at, which takes as much space beside the journal for the time.

Examples:
  partyline verify
  partyline verify --head "$(ssh web1 tail -n 1 /var/lib/partyline-host/records-head | cut -d ' ' -f 1)"
  partyline verify --data /var/lib/partyline --json | jq .problems
  partyline verify /var/backups/partyline-2026-11-22
`;

const HASH = /^[0-9a-f]{64}$/i;

type Records = Parameters<Exclude<VerifyOptions['onRecords'], undefined>>[0];

function wordsFor(records: Records | undefined): string {
  if (records === undefined || records.entries === 0) return '';
  return `; the last of ${records.entries} records of runs is ${records.head}`;
}

export async function verify(args: string[]): Promise<number> {
  const read = readVerifyArguments(args);
  if (typeof read === 'number') return read;
  const { head } = read;
  if (head !== undefined && !HASH.test(head)) return misuse('verify', '--head takes 64 hexadecimal digits');
  const journal = read.file ?? join(read.data ?? stateDirectory(), JOURNAL_FILE);
  let records: Records | undefined;
  const options = {
    ...(head === undefined ? {} : { head: head.toLowerCase() }),
    onRecords: (found: Records) => (records = found),
  };
  const problems = existsSync(journal)
    ? await verifyJournal(journal, options)
    : [`Cannot verify ${journal}: there is no such file`];
  const isWhole = problems.length === 0;
  const lost = isWhole ? lostFrom(journal) : [];
  const facts = { lost, records: records?.entries ?? null, head: records?.head ?? null };
  if (read.json) process.stdout.write(jsonLine({ journal, isWhole, problems, ...facts }));
  else if (isWhole) {
    process.stdout.write(`${escapeControls(`${journal} is whole${withoutLost(lost)}${wordsFor(records)}`)}\n`);
  } else for (const problem of problems) process.stderr.write(`partyline verify: ${escapeControls(problem)}\n`);
  return isWhole ? 0 : FAILURE_STATUS;
}

/** What is known to be lost since the journal was damaged: nothing more is missing. */
function withoutLost(lost: ReturnType<typeof lostFrom>): string {
  if (lost.length === 0) return '';
  const ids = lost.map(({ first, last }) => (first === last ? `${first}` : `${first} to ${last}`));
  return `, but for what was lost when it was damaged: messages ${ids.join(', ')}`;
}
