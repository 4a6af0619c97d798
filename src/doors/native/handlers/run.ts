// Commands, on the server itself and on machines that have joined.

import { allowedEnvironment } from '../../../core/run/environment.ts';
import { placesFor, type Places } from '../../../core/run/policy.ts';
import { starterOf } from '../../../core/run/starter.ts';
import { runCancel, runStart, type RunStart, type WireCommand } from '../../../protocol/native/methods/run.ts';
import type { RpcError } from '../../../protocol/native/rpc.ts';
import { announceCommand } from '../../announce.ts';
import { fieldsOfDenied, recordOfDenied, type Denied } from '../../words-run.ts';
import { entry, sessionOf, type Asker, type Entries } from '../entry.ts';
import { no, runError, toRunCommand, wordsForStreams } from '../translate.ts';

export const RUN: Entries<'run.start' | 'run.cancel'> = {
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
};

/** Its streams are open at once: what comes on them meanwhile waits for the record of the start, as the command does. */
function start(asker: Asker, { command: given, on, env, timeoutMs, together, stdin, stdout, stderr }: RunStart) {
  const { house, peer } = asker;
  const { records } = house;
  const found = placesMeant(asker, on ?? '', given);
  if ('error' in found) return found;
  const { command, places } = found;
  const [place, another] = places;
  if (place === undefined || another !== undefined || command === undefined) {
    return no('bad-params', 'Cannot run the command: on is one machine; each of several is asked for by itself');
  }
  const cannot = asker.refusalToRun([stdin, stdout, stderr]);
  if (cannot !== undefined) return { error: wordsForStreams(cannot) };
  const { runner, name: host } = place;
  const session = sessionOf(asker);
  const starter = starterOf(session, { hub: house.hub, address: peer.address });
  const denied = deniedTo(asker, given);
  const newRun = () => records.newRun();
  const record = together === undefined ? newRun() : asker.gatherings.runOf(together, command, newRun);
  if (typeof record === 'object') return no('bad-params', `Cannot run the command: ${together} is that of another one`);
  if (runner === undefined) {
    const result = { result: 'offline', status: null } as const;
    records.refuse({ run: record, starter, hosts: [host], command, result });
    return { error: runError({ refused: 'offline', name: host }, denied) };
  }
  const { run, recorded } = records.start({
    run: record,
    starter,
    host,
    command,
    start: (recordsHead) => {
      house.log.tell(announceCommand(command, { by: session.member.name, address: peer.address, host }));
      const wishes = timeoutMs === undefined ? {} : { timeoutMs };
      return runner.start({ command, env: allowedEnvironment(env ?? {}), recordsHead, ...wishes });
    },
  });
  const number = asker.add(run, { stdin, stdout, stderr });
  return recorded.then((refused) => {
    if (refused === undefined) return { result: { run: number, record } };
    asker.abandon(number);
    return { error: runError(refused, denied) };
  });
}

/** Where it is, and may be run by whoever asks; what is not allowed is logged, and put on record. */
export function placesMeant(
  asker: Asker,
  targets: string,
  given: WireCommand | undefined,
): Places | { readonly error: RpcError } {
  const { hub, runner, hosts, policy, log, records } = asker.house;
  const { address } = asker.peer;
  const session = sessionOf(asker);
  const denied = deniedTo(asker, given);
  const { account, key } = hub.actsAs(session);
  const { serverName, directory } = hub;
  const found = placesFor(
    targets,
    { role: session.role, key: account === undefined ? undefined : key, command: denied.command },
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

function deniedTo(asker: Asker, given: WireCommand | undefined): Denied {
  const { member, role } = sessionOf(asker);
  return { by: member.name, role, command: given && toRunCommand(given) };
}

function cancel(asker: Asker, { run }: { run: number }) {
  // One that ended meanwhile is no mistake of whoever cancels it.
  return asker.cancel(run) ? { result: {} } : no('unknown-run', `Cannot cancel run ${run}: it is not running`);
}
