// Commands, on the server itself and on machines that have joined.

import type { RunCommand, Runner } from '../../../core/ports.ts';
import type { Manner } from '../../../core/run/grant.ts';
import { placesFor, type Places } from '../../../core/run/policy.ts';
import type { RunId, Starter } from '../../../core/run/record.ts';
import { starterOf } from '../../../core/run/starter.ts';
import {
  runCancel,
  runResize,
  runStart,
  type RunStart,
  type WireCommand,
  type WireSize,
} from '../../../protocol/native/methods/run.ts';
import type { RpcError } from '../../../protocol/native/rpc.ts';
import { passOn } from '../../../relay/environment.ts';
import { announceCommand } from '../../announce.ts';
import { fieldsOfDenied, recordOfDenied, type Denied } from '../../words-run.ts';
import { entry, sessionOf, type Asker, type Entries } from '../entry.ts';
import { no, runError, toRunCommand, wordsForStreams } from '../translate.ts';

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
function start(asker: Asker, asked: RunStart) {
  const { house, peer } = asker;
  const { cwd, terminal, timeoutMs, stdin, stdout, stderr } = asked;
  const begun = begin(asker, asked, [stdin, stdout, stderr]);
  if ('error' in begun) return begun;
  const { runner, command, record, host, starter, env, denied } = begun;
  const { run, recorded } = house.records.start({
    run: record,
    starter,
    host,
    command,
    start: (recordsHead) => {
      house.log.tell(announceCommand(command, { by: starter.byName, address: peer.address, host }));
      return runner.start({
        command,
        env,
        recordsHead,
        ...(cwd === undefined ? {} : { cwd }),
        ...(terminal === undefined ? {} : { terminal }),
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      });
    },
  });
  const number = asker.add(run, { stdin, stdout, stderr });
  return recorded.then((refused) => {
    if (refused === undefined) return { result: { run: number, record } };
    asker.abandon(number);
    return { error: runError(refused, denied) };
  });
}

/** `command` undefined: it is only asked where. */
interface Wanted extends Manner {
  readonly command: WireCommand | undefined;
}

interface Begun {
  readonly runner: Pick<Runner, 'start'>;
  readonly host: string;
  readonly command: RunCommand;
  readonly record: RunId;
  readonly starter: Starter;
  /** What passes. */
  readonly env: Readonly<Record<string, string>>;
  readonly denied: Denied;
}

/** What is asked for, and may be, on one machine that is there; the rest is refused, and on record where it should be. */
export function begin(
  asker: Asker,
  asked: Omit<RunStart, 'stdin' | 'stdout' | 'stderr'>,
  streams: readonly number[],
): Begun | { readonly error: RpcError } {
  const { command: given, on, env = {}, cwd, terminal, together } = asked;
  const wanted = { command: given, cwd, hasTerminal: terminal !== undefined };
  const { house, peer } = asker;
  const { hub, records } = house;
  const found = placesMeant(asker, on ?? '', wanted);
  if ('error' in found) return found;
  const { command, places } = found;
  const [place, another] = places;
  if (place === undefined || another !== undefined || command === undefined) {
    return no('bad-params', 'Cannot run the command: on is one machine; each of several is asked for by itself');
  }
  const cannot = asker.refusalToRun(streams);
  if (cannot !== undefined) return { error: wordsForStreams(cannot) };
  const { runner, name: host } = place;
  const starter = starterOf(sessionOf(asker), { hub, address: peer.address });
  const denied = deniedTo(asker, wanted);
  const newRun = () => records.newRun();
  const record = together === undefined ? newRun() : asker.gatherings.runOf(together, command, newRun);
  if (typeof record === 'object') return no('bad-params', `Cannot run the command: ${together} is that of another one`);
  if (runner === undefined) {
    const result = { result: 'offline', status: null } as const;
    records.refuse({ run: record, starter, hosts: [host], command, result });
    return { error: runError({ refused: 'offline', name: host }, denied) };
  }
  // What else a machine passes it says itself.
  const wider = runner === house.runner ? house.policy.current.env : 'decided-there';
  const passed = passOn(env, { wider, host });
  if ('error' in passed) {
    const result = { result: 'denied', status: null, reason: passed.error.message } as const;
    records.refuse({ run: record, starter, hosts: [host], command, result });
    return passed;
  }
  return { runner, host, command, record, starter, env: passed.env, denied };
}

/** Where it is, and may be run by whoever asks; what is not allowed is logged, and put on record. */
export function placesMeant(asker: Asker, targets: string, given: Wanted): Places | { readonly error: RpcError } {
  const { hub, runner, hosts, policy, log, records } = asker.house;
  const { address } = asker.peer;
  const session = sessionOf(asker);
  const denied = deniedTo(asker, given);
  const { account, key } = hub.actsAs(session);
  const { serverName, directory } = hub;
  const found = placesFor(
    targets,
    { role: session.role, key: account === undefined ? undefined : key, command: denied.command, manner: given },
    { serverName, runner, hosts, directory, policy, isPresent: (one) => hub.isPresent(one) },
  );
  if (!('refused' in found)) return found;
  if (found.refused === 'not-allowed') {
    log.warn('command not allowed', { ...fieldsOfDenied(found, denied), address });
    const { command } = denied;
    if (session.role !== 'guest' && command !== undefined) {
      const starter = starterOf(session, { hub, address });
      records.refuse({ run: records.newRun(), starter, ...recordOfDenied(found, { ...denied, command }) });
    }
  }
  return { error: runError(found, denied) };
}

function deniedTo(asker: Asker, { command, cwd, hasTerminal }: Wanted): Denied {
  const { member, role } = sessionOf(asker);
  return { by: member.name, role, command: command && toRunCommand(command), cwd, hasTerminal };
}

function cancel(asker: Asker, { run }: { run: number }) {
  // One that ended meanwhile is no mistake of whoever cancels it.
  return asker.cancel(run) ? { result: {} } : no('unknown-run', `Cannot cancel run ${run}: it is not running`);
}

function resize(asker: Asker, { run, ...size }: WireSize & { run: number }) {
  return asker.resize(run, size)
    ? { result: {} }
    : no('unknown-run', `Cannot tell the terminal of run ${run} its size: it is not running`);
}
