// Commands, on the server itself and on machines that have joined.

import { allowedEnvironment } from '../../../core/run/environment.ts';
import { placesFor, type RunWorld } from '../../../core/run/policy.ts';
import { runCancel, runStart, type RunStart } from '../../../protocol/native/methods/run.ts';
import { announceCommand } from '../../announce.ts';
import { entry, sessionOf, type Asker, type Entries } from '../entry.ts';
import { no, runError, toRunCommand, wordsForStreams } from '../translate.ts';

export const RUN: Entries<'run.start' | 'run.cancel'> = {
  'run.start': entry(runStart, {
    needs: 'owner',
    summary: 'Starts a command; its bytes go over three streams, its end is told by run.ended',
    answer: start,
  }),
  'run.cancel': entry(runCancel, {
    needs: 'owner',
    summary: 'Ends a command and everything that it started',
    answer: cancel,
  }),
};

/** Its streams are open at once: what comes on them meanwhile waits for the record of the start, as the command does. */
function start(asker: Asker, { command: given, on, env, timeoutMs, together, stdin, stdout, stderr }: RunStart) {
  const { house, peer } = asker;
  const { role, member } = sessionOf(asker);
  const found = placesFor(on ?? '', role, worldOf(asker));
  if ('refused' in found) return { error: runError(found) };
  const [place, another] = found.places;
  if (place === undefined || another !== undefined) {
    return no('bad-params', 'Cannot run the command: on is one machine; each of several is asked for by itself');
  }
  const cannot = asker.refusalToRun([stdin, stdout, stderr]);
  if (cannot !== undefined) return { error: wordsForStreams(cannot) };
  if (place.runner === undefined) return { error: runError({ refused: 'offline', name: place.name }) };
  const command = toRunCommand(given);
  const newRun = () => house.records.newRun();
  const record = together === undefined ? newRun() : asker.gatherings.runOf(together, command, newRun);
  if (typeof record === 'object') return no('bad-params', `Cannot run the command: ${together} is that of another one`);
  const { runner, name: host } = place;
  const { run, recorded } = house.records.start({
    run: record,
    by: member,
    address: peer.address,
    host,
    command,
    start: (recordsHead) => {
      house.log.tell(announceCommand(command, { by: member.name, address: peer.address, host }));
      const wishes = timeoutMs === undefined ? {} : { timeoutMs };
      return runner.start({ command, env: allowedEnvironment(env ?? {}), recordsHead, ...wishes });
    },
  });
  const number = asker.add(run, { stdin, stdout, stderr });
  return recorded.then((refused) => {
    if (refused === undefined) return { result: { run: number, record } };
    asker.abandon(number);
    return { error: runError(refused) };
  });
}

export function worldOf({ house: { hub, runner, hosts } }: Asker): RunWorld {
  const { serverName, directory } = hub;
  return { serverName, runner, hosts, directory, isPresent: (key) => hub.isPresent(key) };
}

function cancel(asker: Asker, { run }: { run: number }) {
  // One that ended meanwhile is no mistake of whoever cancels it.
  return asker.cancel(run) ? { result: {} } : no('unknown-run', `Cannot cancel run ${run}: it is not running`);
}
