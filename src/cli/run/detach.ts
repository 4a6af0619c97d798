// `partyline run --detach` and `--wait`: the command goes on without us, on as many machines as it is for, as one run.

import type { NativeClient } from '../../client/native.ts';
import { Runs } from '../../client/run.ts';
import { shown } from '../../client/shown.ts';
import type { ErrorCode } from '../../protocol/native/methods.ts';
import { runDetach, type Detached } from '../../protocol/native/methods/detached.ts';
import { escapeControls } from '../../protocol/text.ts';
import { INTERRUPTED, type Interruption } from '../kit/interruption.ts';
import { jsonLine } from '../kit/json-line.ts';
import type { HostResult } from '../../protocol/summary.ts';
import { isOneName, type RunArguments } from './arguments.ts';
import { Gate, MAX_UNANSWERED } from './many.ts';
import { say } from './outlet.ts';
import { overallStatus } from './summary.ts';
import { UNREACHED_STATUS } from '../kit/status.ts';
import { hostsOf, watch } from './watch.ts';

interface Detaching {
  readonly given: RunArguments;
  readonly interruption: Interruption;
}

/** What came of it on one machine. */
type Started = Detached | { readonly host: string; readonly code: string; readonly reason: string };

/** The status to end with; the client is closed then. */
export async function detach(client: NativeClient, { given, interruption }: Detaching): Promise<number> {
  try {
    const targets = await targetsOf(client, { given, interruption });
    if (typeof targets === 'number') return targets;
    const started = await Promise.race([startOn(client, targets, given), interruption.happened]);
    if (started === undefined) {
      say('Interrupted before all had started: partyline runs says what goes on');
      return INTERRUPTED[interruption.name ?? 'SIGINT'];
    }
    return await report(client, { started, given, interruption });
  } finally {
    client.close();
  }
}

/** Undefined among them: the server itself. */
async function targetsOf(
  client: NativeClient,
  detaching: Detaching,
): Promise<readonly (string | undefined)[] | number> {
  const { on } = detaching.given.wishes;
  if (on === undefined || (isOneName(on) && !detaching.given.wide.isDryRun)) return [on];
  const { chooseTargets } = await import('./wide.ts');
  const chosen = await chooseTargets(client, { targets: on, ...detaching });
  if (typeof chosen === 'number') return chosen;
  if (chosen.needsApproval) {
    say('Cannot detach the command: somebody has to approve it, and then it ends with its client; nothing was started');
    return UNREACHED_STATUS;
  }
  return chosen.hosts.map(({ name }) => name);
}

async function startOn(
  client: NativeClient,
  targets: readonly (string | undefined)[],
  { wishes, wide }: RunArguments,
): Promise<readonly Started[]> {
  const gate = new Gate(MAX_UNANSWERED);
  const together = targets.length > 1 ? { together: new Runs(client).newTogether() } : {};
  const takesInput = wide.hasInput ? { takesInput: true } : {};
  return await Promise.all(
    targets.map(async (on): Promise<Started> => {
      await gate.enter();
      const host = on ?? client.serverName;
      const place = on === undefined ? {} : { on };
      const answer = await client.request(runDetach.name, { ...wishes, ...place, ...together, ...takesInput });
      gate.leave();
      if ('lost' in answer) return { host, code: 'lost', reason: answer.lost };
      if ('error' in answer) {
        return { host, code: answer.error.data?.code ?? 'unknown', reason: shown(answer.error.message) };
      }
      const result = runDetach.parseResult(answer.result);
      if (result === undefined) return { host, code: 'lost', reason: 'the server answers in a way not known here' };
      return { ...result, host: shown(result.host) };
    }),
  );
}

interface Reporting extends Detaching {
  readonly started: readonly Started[];
}

async function report(client: NativeClient, { started, given, interruption }: Reporting): Promise<number> {
  const { isJson, wide } = given;
  const isWatched = given.away?.watchMs !== undefined;
  // Whoever watches is told by what it says, and by its end.
  const goesOn = (one: Started): one is Detached => 'record' in one && (isWatched || one.failed === undefined);
  const running = started.filter(goesOn);
  // More hosts than a run has room for are several.
  const ids = [...new Set(running.map(({ record }) => record))];
  for (const id of ids) {
    const hosts = running.filter(({ record }) => record === id).map(({ host }) => host);
    if (isJson) process.stdout.write(jsonLine({ id, hosts }));
    else if (!isWatched) process.stdout.write(`${id}\n`);
  }
  for (const one of started) if (!goesOn(one)) tellFailure(one, isJson);
  const failure = overallStatus(started.map((one) => (goesOn(one) ? BEGUN : resultOf(one))));
  const [id, another] = ids;
  if (id === undefined || given.away?.watchMs === undefined) return failure;
  if (another !== undefined) {
    say(`These are runs ${ids.join(', ')}, which go on; partyline attach shows each`);
    return failure;
  }
  const known = await hostsOf(client, id);
  if (typeof known === 'string') {
    say(`${known}; it goes on, and partyline attach ${id}${given.hint} shows it`);
    return UNREACHED_STATUS;
  }
  const names = new Set(running.map(({ host }) => host));
  const watched = await watch(client, {
    command: 'run',
    id,
    hosts: known.filter(({ name }) => names.has(name)),
    from: 0,
    isJson,
    isFolding: wide.isFolding,
    givesInput: wide.hasInput,
    interruption,
    watchMs: given.away.watchMs,
    comeBack: `partyline attach ${id}${given.hint}`,
  });
  return failure === 0 ? watched : failure;
}

const NEEDS_APPROVAL: ErrorCode = 'needs-approval';

/** What goes on, or is told by its own end. */
const BEGUN: HostResult = { result: 'exited', status: 0 };

/** Of one that does not go on. */
function resultOf(one: Started): HostResult {
  if ('code' in one) return { result: resultFor(one.code) };
  const status = one.failed?.status ?? null;
  if (status !== null) return { result: 'exited', status };
  return { result: one.failed?.result === 'denied' ? 'denied' : 'lost' };
}

function tellFailure(one: Started, isJson: boolean): void {
  const { host } = one;
  const told =
    'code' in one
      ? { host, result: resultFor(one.code), status: null, reason: one.reason }
      : { id: one.record, host, ...one.failed };
  if (isJson) process.stdout.write(jsonLine(told));
  const why =
    'code' in one
      ? `${one.reason}${one.code === NEEDS_APPROVAL ? '; without --detach and --wait it is asked for' : ''}`
      : `The command did not start on ${host}: ${one.failed?.reason ?? ''}; run ${one.record} has it on record`;
  say(escapeControls(why));
}

function resultFor(code: string): 'denied' | 'offline' | 'lost' {
  if (code === 'offline') return code;
  return code === 'lost' || code === 'away' ? 'lost' : 'denied';
}
