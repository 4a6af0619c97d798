// `partyline echo TARGET --from MACHINES`: the same probe on machines that have joined, each as a run of `partyline` there, and
// what they say as one table. So who may is what the policies say, and what was asked is on record, as of any command.

import type { NativeClient } from '../../client/native.ts';
import { ECHO_DEADLINE_MS } from '../../client/probe/rounds.ts';
import type { RunWishes } from '../../client/run.ts';
import { MAX_TIMEOUT_MS } from '../../protocol/native/methods/run.ts';
import { Questions } from '../kit/input.ts';
import { INTERRUPTED, watchInterruption, type Interruption } from '../kit/interruption.ts';
import { UNREACHED_STATUS } from '../kit/status.ts';
import { connectForRuns } from '../run/connect.ts';
import { runOnMany } from '../run/many.ts';
import { confirm, isWide, resolveTargets, wordsForTargets, type TargetHost } from '../run/targets.ts';
import { overallStatus } from './from/sums.ts';
import { MatrixView } from './from/view.ts';
import type { EchoIo } from './io.ts';
import { formatWishes } from './measure.ts';
import type { EchoArguments, FromArguments, ProbeArguments } from './options.ts';
import { familiesAskedFor } from './probe.ts';

/** The name, connecting and the sizes at their slowest. */
const SLOWEST_PROBE_MS = 180_000;
/** Once interrupted, for the machines to say that it has ended there. */
const CONFIRM_TIMEOUT_MS = 10_000;

type How = ProbeArguments & { readonly from: FromArguments };

export async function runFrom(given: EchoArguments, how: How, io: EchoIo): Promise<number> {
  const interruption = watchInterruption();
  const say = (line: string): void => void io.stderr.write(`partyline echo: ${line}\n`);
  const { host } = how.from;
  let client: NativeClient | undefined;
  try {
    const connected = await connectForRuns(host, { command: 'echo', signal: interruption.signal });
    if ('refused' in connected) return fail(say, connected.refused);
    client = connected;
    return await measureFrom(client, { given, how, io, interruption, say });
  } catch (error) {
    if (interruption.name === undefined) throw error;
    return INTERRUPTED[interruption.name];
  } finally {
    client?.close();
    interruption.stop();
  }
}

interface Around {
  readonly given: EchoArguments;
  readonly how: How;
  readonly io: EchoIo;
  readonly interruption: Interruption;
  readonly say: (line: string) => void;
}

async function measureFrom(client: NativeClient, around: Around): Promise<number> {
  const { given, how, io, interruption, say } = around;
  const asked = wishesFor(given, how);
  const chosen = await chooseMachines(client, asked, around);
  if (typeof chosen === 'number') return chosen;
  const { hosts, wishes } = chosen;
  const families = familiesAskedFor(given);
  const machines = hosts.map(({ name }) => name);
  const made = { host: given.host, port: given.port, families, wants: how.wants, machines };
  let matrix: MatrixView | undefined;
  await runOnMany({
    client,
    hosts,
    wishes,
    viewFor: (drop) => (matrix = new MatrixView(made, { io, drop, isJson: given.json })),
    interruption,
    confirmTimeoutMs: CONFIRM_TIMEOUT_MS,
    batch: how.from.batch,
    stopAfter: Number.POSITIVE_INFINITY,
    hasInput: false,
    onProgress: () => {},
  });
  await matrix?.written;
  if (interruption.name !== undefined) return INTERRUPTED[interruption.name];
  if (matrix?.failure !== undefined) return fail(say, matrix.failure);
  return overallStatus({ families, machines, answers: matrix?.answers ?? new Map() });
}

/** An argument vector, which no shell sees; what is probed was read as an address before, so that it is no option. */
function wishesFor(given: EchoArguments, how: How): RunWishes & { readonly command: { readonly argv: string[] } } {
  const { target, timeoutMs } = how.from;
  const longestMs = SLOWEST_PROBE_MS + how.count * (how.intervalMs + ECHO_DEADLINE_MS);
  return {
    command: { argv: ['partyline', 'echo', '--measure', formatWishes(given, how), target] },
    timeoutMs: timeoutMs ?? Math.min(longestMs, MAX_TIMEOUT_MS),
    env: {},
  };
}

interface Chosen {
  readonly hosts: readonly TargetHost[];
  readonly wishes: RunWishes;
}

/** The machines that are meant, and that may be asked; a number is the status to end with, and nothing was started. */
async function chooseMachines(client: NativeClient, wishes: RunWishes, around: Around): Promise<Chosen | number> {
  const { given, how, interruption, say } = around;
  const { targets, isConfirmed } = how.from;
  const resolved = await resolveTargets(client, { targets, command: wishes.command });
  if ('refused' in resolved) return fail(say, resolved.refused);
  const { hosts, needsApproval } = resolved;
  if (!given.json) say(wordsForTargets(hosts));
  if (!isConfirmed && isWide(targets, hosts)) {
    const refused = await Promise.race([confirm(hosts, new Questions()), interruption.happened]);
    if (interruption.name !== undefined) return INTERRUPTED[interruption.name];
    if (refused !== undefined) return fail(say, refused);
  }
  if (!needsApproval) return { hosts, wishes };
  const { waitForApproval } = await import('../run/approval.ts');
  const names = hosts.map(({ name }) => name);
  const waiting = {
    wishes: { ...wishes, on: targets },
    hosts: names,
    isJson: given.json,
    interruption,
    command: 'echo',
  };
  const approved = await waitForApproval(client, waiting);
  if (interruption.name !== undefined) return INTERRUPTED[interruption.name];
  return 'refused' in approved ? fail(say, approved.refused) : { hosts, wishes: { ...wishes, ...approved } };
}

function fail(say: Around['say'], why: string): number {
  say(why);
  return UNREACHED_STATUS;
}
