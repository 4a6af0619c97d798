// Commands, on the server itself and on machines that have joined.

import type { RunCommand, Runner, RunRequest } from '../../../core/ports.ts';
import type { RunRefusal } from '../../../core/refusal.ts';
import type { Approved } from '../../../core/run/approval.ts';
import type { Place, Places } from '../../../core/run/policy.ts';
import { settingOf, type RunId, type Setting, type Starter } from '../../../core/run/record.ts';
import { starterOf } from '../../../core/run/starter.ts';
import { withoutInput } from '../../../core/run/without-input.ts';
import {
  runCancel,
  runResize,
  runStart,
  type RunStart,
  type WireCommand,
  type WireSize,
} from '../../../protocol/native/methods/run.ts';
import type { RpcError } from '../../../protocol/native/rpc.ts';
import { toAskedCommand } from '../../../relay/command.ts';
import { passOn } from '../../../relay/environment.ts';
import { announceCommand } from '../../shared/announce.ts';
import { lookUp, personIn } from '../../shared/places.ts';
import type { Denied } from '../../shared/words-run.ts';
import { ATTEMPTS } from '../attempts.ts';
import { MAX_REQUEST_BYTES } from '../limits.ts';
import { entry, sessionOf, type Asker, type Entries } from '../entry.ts';
import { approvalError, no, runError, wordsForStreams } from '../translate.ts';

export const RUN: Entries<'run.start' | 'run.cancel' | 'run.resize'> = {
  'run.start': entry(runStart, {
    needs: 'member',
    summary: 'Starts a command, if the policy lets one; its bytes go over three streams, its end is told by run.ended',
    answer: start,
  }),
  'run.cancel': entry(runCancel, {
    needs: 'member',
    summary: 'Ends a command that this connection has started, and everything that it started',
    answer: cancel,
  }),
  'run.resize': entry(runResize, {
    needs: 'member',
    summary: 'Tells the terminal of a command that this connection has started how large it is now',
    answer: resize,
  }),
};

/** Its streams are open at once: what comes on them meanwhile waits for the record of the start, as the command does. */
function start(asker: Asker, given: RunStart) {
  const { house, peer } = asker;
  const { stdin, stdout, stderr } = given;
  const begun = begin(asker, given, [stdin, stdout, stderr]);
  if ('error' in begun) return begun;
  const { runner, host, record, starter, request, approved, wanted } = begun;
  const { command } = request;
  const { run, recorded } = house.records.start({
    run: record,
    starter,
    approved,
    host,
    command,
    setting: settingOf(request),
    start: (recordsHead) => {
      const by = starter.byName;
      house.log.tell(announceCommand(command, { by, address: peer.address, host, approvedBy: approved?.by }));
      return runner.start({ ...request, recordsHead });
    },
  });
  const number = asker.add(approved === undefined || given.terminal !== undefined ? run : withoutInput(run), {
    stdin,
    stdout,
    stderr,
  });
  return recorded.then((refused) => {
    if (refused === undefined) return { result: { run: number, record } };
    asker.abandon(number);
    return refusedRun(asker, refused, wanted);
  });
}

interface Begun {
  readonly runner: Pick<Runner, 'start'>;
  readonly host: string;
  readonly record: RunId;
  readonly starter: Starter;
  /** All that is started. */
  readonly request: RunRequest;
  readonly approved: Approved | undefined;
  readonly wanted: Wanted;
}

/** What is asked for, and may be, on one machine that is there; the rest is refused, and on record where it should be. */
export function begin(
  asker: Asker,
  given: Omit<RunStart, 'stdin' | 'stdout' | 'stderr'>,
  streams: readonly number[],
): Begun | { readonly error: RpcError } {
  const { on, approval, together } = given;
  const { house } = asker;
  const { records, approvals } = house;
  const wanted = wantedBy(given);
  const looked = lookUpFor(asker, on ?? '', wanted);
  const isAsked = approval !== undefined && 'refused' in looked && looked.refused === 'needs-approval';
  const found = isAsked ? looked.places : looked;
  if ('refused' in found) return refusedRun(asker, found, wanted);
  const { command, places } = found;
  const [place, another] = places;
  if (place === undefined || another !== undefined || command === undefined) {
    return no(
      'bad-params',
      'Cannot run the command: on is one machine; each of several is asked for by itself (the library: runMany, or detach for each of resolve)',
    );
  }
  const cannot = asker.refusalToRun(streams);
  if (cannot !== undefined) return { error: wordsForStreams(cannot) };
  const { runner, name: host } = place;
  const starter = starterFor(asker);
  const newRun = () => records.newRun();
  const { setting } = wanted;
  const record = together === undefined ? newRun() : asker.gatherings.runOf(together, { command, setting }, newRun);
  if (typeof record === 'object') return no('bad-params', `Cannot run the command: ${together} is that of another one`);
  if (runner === undefined) {
    const result = { result: 'offline', status: null } as const;
    records.refuse({ run: record, starter, hosts: [host], command, setting, result });
    return refusedRun(asker, { refused: 'offline', name: host }, wanted);
  }
  const request = requestOf(asker, { command, wishes: given, places });
  if ('error' in request) {
    const result = { result: 'denied', status: null, reason: request.error.message } as const;
    records.refuse({ run: record, starter, hosts: [host], command, setting, result });
    return request;
  }
  const bytes = Buffer.byteLength(JSON.stringify(request));
  if (bytes > MAX_REQUEST_BYTES) {
    return no('bad-params', `Cannot run the command: it has ${bytes} bytes, and ${MAX_REQUEST_BYTES} are the most`);
  }
  const asked = { by: house.hub.rights.of(sessionOf(asker)).name, request };
  const approvers = isAsked ? looked.approvers : [];
  const approved =
    approval === undefined ? undefined : approvals.use(approval, { owner: asker, host, asked, approvers });
  if (approved !== undefined && 'refused' in approved) return approvalError(approved, ATTEMPTS['run.start']);
  return { runner, host, record, starter, request, approved, wanted };
}

/** `command` undefined: it is only asked where. */
interface Wanted {
  readonly command: WireCommand | undefined;
  readonly setting: Setting;
}

export function wantedBy({ command, ...wishes }: Pick<RunStart, 'command' | 'env' | 'cwd' | 'terminal'>): Wanted {
  return { command, setting: settingOf(wishes) };
}

interface Requesting {
  readonly command: RunCommand;
  readonly wishes: Pick<RunStart, 'env' | 'cwd' | 'terminal' | 'timeoutMs'>;
  readonly places: readonly Place[];
}

/** All that is started, but where: what somebody else approves is this. An error: a variable may not pass to one of them. */
export function requestOf(
  { house }: Asker,
  { command, wishes, places }: Requesting,
): RunRequest | { readonly error: RpcError } {
  const { env: given = {}, cwd, terminal, timeoutMs } = wishes;
  let env: RunRequest['env'] = {};
  for (const { name, runner } of places) {
    // What else a machine passes it says itself.
    const wider = runner === house.runner ? house.policy.current.env : 'decided-there';
    const passed = passOn(given, { wider, host: name, listedBy: 'env in its policy' });
    if ('error' in passed) return passed;
    ({ env } = passed);
  }
  return {
    command,
    env,
    ...(cwd === undefined ? {} : { cwd }),
    ...(terminal === undefined ? {} : { terminal }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}

/** Where it is, and may be run by whoever asks. */
export function lookUpFor(
  asker: Asker,
  targets: string,
  { isLook, ...given }: Wanted & { readonly isLook?: boolean },
): Places | RunRefusal {
  const { house } = asker;
  const person = personIn(house.hub, sessionOf(asker));
  return lookUp(house, { targets, person, starter: starterFor(asker), denied: deniedTo(asker, given), isLook });
}

export function starterFor(asker: Asker): Starter {
  return starterOf(sessionOf(asker), { hub: asker.house.hub, address: asker.peer.address });
}

export function refusedRun(asker: Asker, refused: RunRefusal, given: Wanted) {
  return { error: runError(refused, deniedTo(asker, given)) };
}

function deniedTo(asker: Asker, { command, setting }: Wanted): Denied {
  const { member, role } = sessionOf(asker);
  return { by: member.name, role, command: command && toAskedCommand(command), setting };
}

function cancel(asker: Asker, { run }: { run: number }) {
  // One that ended meanwhile is no mistake of whoever cancels it.
  return asker.cancel(run, sessionOf(asker).member.name)
    ? { result: {} }
    : no('unknown-run', `Cannot cancel run ${run}: it is not running`);
}

function resize(asker: Asker, { run, ...size }: WireSize & { run: number }) {
  return asker.resize(run, size)
    ? { result: {} }
    : no('unknown-run', `Cannot tell the terminal of run ${run} its size: it is not running`);
}
