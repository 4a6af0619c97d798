// What was run, as lines: the newest runs on record of whoever asks, to find the number of one.

import type { Hub } from '../../core/hub.ts';
import type { Journal } from '../../core/journal.ts';
import type { StoredRun } from '../../core/run/record.ts';
import { seenBy } from '../../core/run/starter.ts';
import type { Session } from '../../core/session.ts';
import { formatDate } from '../../protocol/date.ts';
import { formatError } from '../../protocol/line/reply.ts';
import { formatNodeSet } from '../../protocol/node-set.ts';
import { escapeControls, shorten } from '../../protocol/text.ts';
import { DECIDED } from '../shared/words-approval.ts';
import { askedText } from '../shared/words-run.ts';
import { countedResults } from '../shared/words-share.ts';

/** Runs that fit a terminal. */
const MAX_RUNS_LISTED = 20;
/** Bytes of records that are read for that; the first is taken whatever its size. */
const MAX_BYTES = 524_288;
/** UTF-16 units of the machines, and of how it ended. */
const MAX_WHERE_LENGTH = 200;

export async function listRuns(
  { journal, hub }: { readonly journal: Pick<Journal, 'runs'>; readonly hub: Hub },
  session: Session,
): Promise<string> {
  try {
    const { runs } = await journal.runs({ ...seenBy(session, hub), limit: MAX_RUNS_LISTED, maxBytes: MAX_BYTES });
    return runs.length === 0 ? 'No runs\n' : runs.map(lineFor).join('');
  } catch (error) {
    return formatError(`Cannot list the runs: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** `17 2020-12-17 20:06:53 janaki on web[1-2] : uptime (2 ok)`. */
function lineFor({ id, byName, command, hosts, request }: StoredRun): string {
  const where = shorten(formatNodeSet(hosts.map(({ host }) => host)), MAX_WHERE_LENGTH);
  const how = request === undefined ? shorten(countedResults(hosts), MAX_WHERE_LENGTH) : DECIDED[request.how];
  const at = formatDate(hosts[0]?.startedMs ?? 0);
  return escapeControls(`${id} ${at} ${byName} on ${where} : ${askedText(command)} (${how})`) + '\n';
}
