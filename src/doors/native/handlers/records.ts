// Records of runs: everybody sees their own and those that they approved, the owner all.

import { beginningOf } from '../../../core/run/beginning.ts';
import type { AskedCommand } from '../../../core/run/policy.ts';
import { seenBy } from '../../../core/run/starter.ts';
import type { RunOnHost, StoredRun, StreamFacts } from '../../../core/run/record.ts';
import { runShare } from '../../../protocol/native/methods/chat.ts';
import { MAX_OUTPUT_BYTES, runList, runOutput, runShow } from '../../../protocol/native/methods/records.ts';
import type { WireCommand } from '../../../protocol/native/methods/run.ts';
import { toWireCommand } from '../../../relay/command.ts';
import { share } from '../../shared/sharing.ts';
import { wordsForSharing } from '../../shared/words-share.ts';
import { entry, sessionOf, type Asker, type Entries } from '../entry.ts';
import {
  MAX_HOSTS_BYTES,
  MAX_LISTED_COMMAND_BYTES,
  MAX_PAGE_BYTES,
  MAX_RESULTS_BYTES,
  MAX_SHOWN_COMMAND_BYTES,
} from '../limits.ts';
import { fitting, fittingLast } from '../page.ts';
import { no, chatError, toAddressed, toTime } from '../translate.ts';
import { answerSent } from './chat.ts';
import { reasonOf } from '../../../reason.ts';

/** What the list gives unless it is asked for more. */
const DEFAULT_LISTED = 20;
/** JSON writes a control character in six bytes. */
const BYTES_OF_UNIT = 6;

export const RECORDS: Entries<'run.list' | 'run.show' | 'run.output' | 'run.share'> = {
  'run.list': entry(runList, {
    needs: 'member',
    summary:
      'Runs on record, oldest first; without a cursor the newest; one’s own and those that one approved, or for the owner all',
    holds: true,
    answer: list,
  }),
  'run.show': entry(runShow, {
    needs: 'member',
    summary: 'A run on record: how it went on each of its hosts',
    holds: true,
    answer: show,
  }),
  'run.output': entry(runOutput, {
    needs: 'member',
    summary: 'What is kept of an output of a run on record',
    holds: true,
    answer: output,
  }),
  'run.share': entry(runShare, {
    needs: 'member',
    summary: 'Sends what is on record of a run as a message: the command, how it ended, and the output, cut to fit',
    holds: true,
    answer: tell,
  }),
};

export function seeing(asker: Asker) {
  return seenBy(sessionOf(asker), asker.house.hub);
}

async function list(asker: Asker, { before, limit = DEFAULT_LISTED }: { before?: number; limit?: number }) {
  const part = { limit, maxBytes: MAX_PAGE_BYTES, ...(before === undefined ? {} : { before }) };
  try {
    const { runs, isMore } = await asker.house.journal.runs({ ...seeing(asker), ...part });
    const all = runs.map((run) => {
      const shown = toRun(run, MAX_LISTED_COMMAND_BYTES);
      return Object.assign(shown, { results: run.hosts.slice(0, shown.hosts.length).map(toResult) });
    });
    const listed = fittingLast(all);
    return { result: { runs: listed, more: isMore || listed.length < all.length } };
  } catch (error) {
    return unreadable('Cannot list the runs', error);
  }
}

async function show(asker: Asker, { id, first = 0 }: { id: number; first?: number }) {
  try {
    const run = await asker.house.journal.run({ id, ...seeing(asker) });
    if (run === undefined) return unknown(id);
    const results = fitting(run.hosts.slice(first).map(toFullResult), MAX_RESULTS_BYTES);
    const next = first + results.length < run.hosts.length ? first + results.length : null;
    return { result: { ...toRun(run, MAX_SHOWN_COMMAND_BYTES), ...toSetting(run), results, next } };
  } catch (error) {
    return unreadable('Cannot show the run', error);
  }
}

interface Wanted {
  readonly id: number;
  readonly host: number;
  readonly stream: 'stdout' | 'stderr';
  readonly first?: number;
}

async function output(asker: Asker, { id, host, stream, first = 0 }: Wanted) {
  try {
    const kept = await asker.house.journal.output({ id, at: host, stream, ...seeing(asker) });
    if (kept === undefined) return unknown(id);
    const all = Buffer.concat([kept.head, kept.tail]);
    const end = Math.min(first + MAX_OUTPUT_BYTES, all.length);
    const data = all.subarray(first, end).toString('base64');
    return { result: { data, next: end < all.length ? end : null } };
  } catch (error) {
    return unreadable('Cannot show the output', error);
  }
}

async function tell(asker: Asker, { run: id, to, ...key }: { run: number; to: readonly string[]; key?: string }) {
  const { house } = asker;
  const shared = await share(house, sessionOf(asker), { id, to: toAddressed(to), ...key });
  if (!('refused' in shared)) return await answerSent(asker, shared);
  if (shared.refused !== 'unknown-record' && shared.refused !== 'unreadable') return { error: chatError(shared) };
  return no(shared.refused, wordsForSharing(shared));
}

/** For one that there is not and one that somebody may not see it is the same. */
export function unknown(id: number, attempt = `Cannot show run ${id}`) {
  return no('unknown-record', `${attempt}: there is none of that number among those that you may see`);
}

export function unreadable(attempt: string, error: unknown) {
  return no('unreadable', `${attempt}: ${reasonOf(error)}`);
}

function toRun(run: StoredRun, maxBytes: number) {
  const { id, byName, asName, address, command: given, hosts, approved, request } = run;
  const { command, isCut } = toCommand(given, maxBytes);
  const names = fitting(
    hosts.map(({ host }) => host),
    MAX_HOSTS_BYTES,
  );
  const ends = hosts.map(({ end }) => end?.atMs);
  const last = ends.includes(undefined) ? undefined : Math.max(...ends.map((atMs) => atMs ?? 0));
  return {
    id,
    by: byName,
    ...(asName === undefined ? {} : { as: asName }),
    ...(approved === undefined ? {} : { approvedBy: approved.by, approval: approved.hash }),
    from: address,
    hosts: names,
    ...(names.length < hosts.length ? { hostsLeftOut: hosts.length - names.length } : {}),
    command,
    ...(isCut ? { isCut } : {}),
    started: toTime(hosts[0]?.startedMs ?? 0),
    ended: last === undefined ? null : toTime(last),
    ...(request === undefined ? {} : { decided: request.how }),
  };
}

function toSetting({ setting, leftOut }: StoredRun) {
  const others = leftOut === undefined ? {} : { leftOut };
  if (setting === undefined) return others;
  const { cwd = null, env, hasTerminal: terminal } = setting;
  return { cwd, env, terminal, ...others };
}

function toResult({ host, end }: RunOnHost) {
  return { host, result: end?.result.result ?? ('running' as const), status: end?.result.status ?? null };
}

function toFullResult(one: RunOnHost) {
  const { startedMs, end } = one;
  const { stdin, stdout, stderr } = end?.streams ?? { stdin: null, stdout: null, stderr: null };
  return {
    ...toResult(one),
    ...(end !== undefined && 'signal' in end.result ? { signal: end.result.signal } : {}),
    ...(end !== undefined && 'reason' in end.result ? { reason: end.result.reason } : {}),
    started: toTime(startedMs),
    ended: end === undefined ? null : toTime(end.atMs),
    stdin: stdin satisfies StreamFacts | null,
    stdout,
    stderr,
  };
}

interface Cut {
  readonly command: WireCommand;
  readonly isCut: boolean;
}

/** As it was, or its beginning. */
function toCommand(command: AskedCommand, maxBytes: number): Cut {
  const whole = toWireCommand(command);
  if (Buffer.byteLength(JSON.stringify(whole)) <= maxBytes) return { command: whole, isCut: false };
  const beginning = beginningOf(command, Math.floor(maxBytes / BYTES_OF_UNIT));
  return { command: toWireCommand(beginning), isCut: true };
}
