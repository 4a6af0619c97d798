// Commands on the server itself.

import { allowedEnvironment } from '../../../core/run/environment.ts';
import { refusalToRun } from '../../../core/run/policy.ts';
import { runCancel, runStart, type RunStart } from '../../../protocol/native/methods/run.ts';
import { announceCommand } from '../../announce.ts';
import { entry, sessionOf, type Asker, type Entries } from '../entry.ts';
import { no, toHosts, toRunCommand, wordsForRun, wordsForStreams } from '../translate.ts';

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

function start(asker: Asker, { command: given, on, env, timeoutMs, stdin, stdout, stderr }: RunStart) {
  const { house, peer } = asker;
  const { role, member } = sessionOf(asker);
  const { serverName } = house.hub;
  const refused = refusalToRun({ role, hosts: toHosts(on), serverName });
  if (refused !== undefined) return { error: wordsForRun(refused, serverName) };
  const cannot = asker.refusalToRun([stdin, stdout, stderr]);
  if (cannot !== undefined) return { error: wordsForStreams(cannot) };
  const command = toRunCommand(given);
  house.log.tell(announceCommand(command, { by: member.name, address: peer.address, host: serverName }));
  const run = house.runner.start({
    command,
    env: allowedEnvironment(env ?? {}),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  return { result: { run: asker.add(run, { stdin, stdout, stderr }) } };
}

function cancel(asker: Asker, { run }: { run: number }) {
  // One that ended meanwhile is no mistake of whoever cancels it.
  return asker.cancel(run) ? { result: {} } : no('unknown-run', `Cannot cancel run ${run}: it is not running`);
}
