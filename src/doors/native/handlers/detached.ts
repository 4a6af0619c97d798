// Runs that go on without the connection that started them: starting one, watching one, and ending one.

import type { Attachment, DetachRefusal } from '../../../core/run/detached.ts';
import { PendingRun } from '../../../core/run/pending-run.ts';
import type { StoredRun } from '../../../core/run/record.ts';
import { runAttach, runDetach, runEnd, type RunDetach } from '../../../protocol/native/methods/detached.ts';
import { asRun } from '../../../relay/attached.ts';
import { announceCommand } from '../../shared/announce.ts';
import { entry, sessionOf, type Asker, type Entries, type Reply } from '../entry.ts';
import { no, wordsForStreams } from '../translate.ts';
import { seeing, unknown, unreadable } from './records.ts';
import { begin, refusedRun } from './run.ts';

export const DETACHED: Entries<'run.detach' | 'run.attach' | 'run.end'> = {
  'run.detach': entry(runDetach, {
    needs: 'member',
    summary: 'Starts a command that goes on without this connection, if the policy lets one',
    answer: detach,
  }),
  'run.attach': entry(runAttach, {
    needs: 'member',
    summary: 'Shows what a detached run has said and says; whoever started it may give it input',
    answer: attach,
  }),
  'run.end': entry(runEnd, {
    needs: 'member',
    summary: 'Ends a detached run on all its hosts, and everything that it started',
    answer: end,
  }),
};

async function detach(asker: Asker, asked: RunDetach) {
  const { house, peer } = asker;
  // What somebody approved ends with the connection that asked; this would not.
  if (asked.approval !== undefined)
    return no('bad-params', 'Cannot detach the command: what is approved is not detached');
  const begun = begin(asker, asked, []);
  if ('error' in begun) return begun;
  const { request, record, host, starter, wanted } = begun;
  const { command, env, cwd, timeoutMs } = request;
  const { takesInput = false } = asked;
  const answer = await house.detachments.start({
    run: record,
    starter,
    host,
    command,
    wishes: {
      env,
      takesInput,
      ...(cwd === undefined ? {} : { cwd }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    },
    onRecorded: () => house.log.tell(announceCommand(command, { by: starter.byName, address: peer.address, host })),
  });
  if (answer === undefined) return { result: { record, host } };
  if ('failed' in answer) return { result: { record, host, failed: answer.failed } };
  if (answer.refused === 'not-stored') return refusedRun(asker, answer, wanted);
  const where = `on ${host}, as run ${record}`;
  // The machine says all of it when it is its policy.
  const isWhole = answer.refused === 'not-allowed' || answer.refused === 'env-not-allowed';
  const why = isWhole ? answer.reason : `Cannot run the command ${where}: ${answer.reason}`;
  return no(answer.refused, why);
}

interface Attach {
  readonly id: number;
  readonly host: number;
  readonly from: number | 'end';
  readonly input?: number;
  readonly output: number;
}

async function attach(asker: Asker, asked: Attach): Promise<Attached> {
  const { id, input, output } = asked;
  const attempt = `Cannot attach to run ${id}`;
  const cannot = asker.refusalToRun(input === undefined ? [output] : [input, output]);
  if (cannot !== undefined) return { error: wordsForStreams(cannot, attempt) };
  // At once: what the client opens meanwhile comes after these.
  const pending = new PendingRun();
  const number = asker.add(pending, { stdout: output, ...(input === undefined ? {} : { stdin: input }) });
  const found = await attachmentFor(asker, asked, attempt);
  if ('error' in found) {
    pending.fail(found.error.message);
    asker.abandon(number);
    return found;
  }
  pending.begin(asRun(found.attachment));
  return { result: { run: number, host: found.host } };
}

interface Found {
  readonly attachment: Attachment;
  readonly host: string;
}

/** What may be watched, and is. */
async function attachmentFor(asker: Asker, asked: Attach, attempt: string): Promise<Found | Refused> {
  const { id, host: at, from, input } = asked;
  const { house } = asker;
  const found = await runSeen(asker, id, attempt);
  if ('error' in found) return found;
  const { run } = found;
  const place = run.hosts[at];
  if (place === undefined) return no('unknown-record', `${attempt}: it has ${run.hosts.length} hosts`);
  const { host, detached: key, end } = place;
  if (key === undefined) return no('not-kept', `${attempt}: it was not detached; ${hint(id)}`);
  if (input !== undefined && house.hub.rights.of(sessionOf(asker)).id !== run.by) {
    return no(
      'not-allowed',
      `${attempt} with input: only ${run.asName ?? run.byName}, who started it, may give it any`,
    );
  }
  const runner = house.detachments.runnerAt(host);
  if (typeof runner === 'string') {
    const state =
      end === undefined ? `${host} is offline, where it may go on` : `${host} is offline, where its output is`;
    return no('offline', `${attempt}: ${runner === 'away' ? state : `${host} is gone`}; ${hint(id)}`);
  }
  const attaching = runner.attach(key, { from, givesInput: input !== undefined });
  if ('refused' in attaching) return refusedToAttach(attaching, { attempt, host, id });
  const refused = await attaching.attached;
  if (refused === undefined) return { attachment: attaching.attachment, host };
  return refusedToAttach(refused, { attempt, host, id });
}

type Refused = Extract<Reply, { error: object }>;
type Attached = Reply<{ readonly run: number; readonly host: string }>;

async function end(asker: Asker, { id }: { id: number }) {
  const attempt = `Cannot end run ${id}`;
  const found = await runSeen(asker, id, attempt);
  if ('error' in found) return found;
  const { run } = found;
  const session = sessionOf(asker);
  if (session.role !== 'owner' && asker.house.hub.rights.of(session).id !== run.by) {
    return no('not-allowed', `${attempt}: only ${run.asName ?? run.byName}, who started it, and the owner may`);
  }
  if (run.hosts.every(({ detached }) => detached === undefined)) {
    return no('not-kept', `${attempt}: it was not detached; it ends with the connection that started it`);
  }
  const ending = await asker.house.detachments.end(id, session.member.name);
  if ('refused' in ending) {
    const { reason } = ending;
    return no(
      'not-stored',
      `${attempt} where its machine is away: it cannot be put on record that it is to end: ${reason}; nothing has changed there`,
    );
  }
  const hosts = run.hosts.map(({ host, detached }) => ({
    host,
    state: ending.get(detached ?? '') ?? ('ended' as const),
  }));
  return { result: { hosts } };
}

async function runSeen(asker: Asker, id: number, attempt: string): Promise<{ run: StoredRun } | Refused> {
  try {
    const run = await asker.house.journal.run({ id, ...seeing(asker) });
    return run === undefined ? unknown(id, attempt) : { run };
  } catch (error) {
    return unreadable(attempt, error);
  }
}

interface Attempt {
  readonly attempt: string;
  readonly host: string;
  readonly id: number;
}

function refusedToAttach({ refused, reason }: DetachRefusal, { attempt, host, id }: Attempt) {
  const more = refused === 'not-kept' ? `; ${hint(id)}` : '';
  return no(refused, `${attempt} on ${host}: ${reason}${more}`);
}

function hint(id: number): string {
  return `partyline runs show ${id} says what is on record`;
}
