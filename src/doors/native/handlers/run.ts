// Commands, on the server itself and on machines that have joined.

import type { Manner } from '../../../core/run/grant.ts';
import { placesFor, type Places } from '../../../core/run/policy.ts';
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
import { fieldsOfDenied, type Denied } from '../../words-run.ts';
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

function start(asker: Asker, start: RunStart) {
  const { command: given, on, env = {}, cwd, terminal, timeoutMs, stdin, stdout, stderr } = start;
  const wanted = { command: given, cwd, hasTerminal: terminal !== undefined };
  const { house, peer } = asker;
  const found = placesMeant(asker, on ?? '', wanted);
  if ('error' in found) return found;
  const { command, places } = found;
  const [place, another] = places;
  if (place === undefined || another !== undefined || command === undefined) {
    return no('bad-params', 'Cannot run the command: on is one machine; each of several is asked for by itself');
  }
  const cannot = asker.refusalToRun([stdin, stdout, stderr]);
  if (cannot !== undefined) return { error: wordsForStreams(cannot) };
  const denied = deniedTo(asker, wanted);
  if (place.runner === undefined) return { error: runError({ refused: 'offline', name: place.name }, denied) };
  // What else a machine passes it says itself.
  const wider = place.runner === house.runner ? house.policy.current.env : 'decided-there';
  const passed = passOn(env, { wider, host: place.name });
  if ('error' in passed) return passed;
  const { member } = sessionOf(asker);
  house.log.tell(announceCommand(command, { by: member.name, address: peer.address, host: place.name }));
  const run = place.runner.start({
    command,
    env: passed.env,
    ...(cwd === undefined ? {} : { cwd }),
    ...(terminal === undefined ? {} : { terminal }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  return { result: { run: asker.add(run, { stdin, stdout, stderr }) } };
}

/** `command` undefined: it is only asked where. */
interface Wanted extends Manner {
  readonly command: WireCommand | undefined;
}

/** Where it is, and may be run by whoever asks; what is not allowed is logged. */
export function placesMeant(asker: Asker, targets: string, given: Wanted): Places | { readonly error: RpcError } {
  const { hub, runner, hosts, policy, log } = asker.house;
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
    log.warn('command not allowed', { ...fieldsOfDenied(found, denied), address: asker.peer.address });
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
