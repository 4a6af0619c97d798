// `partyline attach`: what a detached run has said, from its beginning or from where one was, and what it says.

import { parseOnce } from './kit/arguments.ts';
import { INTERRUPTED, watchInterruption } from './kit/interruption.ts';
import { misuse } from './kit/come-in.ts';
import { COMMON, COMMON_HELP, CREDENTIAL_HELP, hostOf, readCommandLine, readRunId } from './kit/options.ts';
import { shellWord } from './kit/shell-word.ts';
import { connectForRuns } from './run/connect.ts';
import { say } from './run/outlet.ts';
import { UNREACHED_STATUS } from './kit/status.ts';
import { hostsOf, watch, type WatchedHost } from './run/watch.ts';

export const HELP = `Show what a detached run has said, go on with what it says, and end with its status

Usage: partyline attach ID [--from start|CURSOR|end] [--on NAMES] [--stdin]

  --from CURSOR      start (the default), end, or as many bytes of both outputs as were seen: what was printed on leaving
  --on NAMES         only these of the run's machines, joined by commas
  --stdin            give it our standard input: its own run, started with --stdin, on one machine
  --no-fold          of several machines, each machine's lines by themselves
${COMMON_HELP}

ID is what partyline run --detach printed, and partyline runs lists. Output and errors come apart, in the order in which they came;
of several machines in lines with the machine before them. Whoever may see the run may watch it, any number at once;
whoever is slow keeps nobody waiting. SIGINT (Ctrl-C) ends the watching alone and says how to come back.

What was said is kept where the command runs, the last 64 MiB of it for a week after its end, and not beyond the end of the program
that ran it: partyline join, or the server. How much is missing is said on standard error.

The status is the command's, as of partyline run; 130 or 143 if we were interrupted; 255 if it could not be watched, or the
connection ended before the run did: then, too, it says how to come back.

${CREDENTIAL_HELP}

Examples:
  partyline attach 17
  partyline attach 17 --from 20480
  partyline attach 17 --on web1,web2 --from end
  partyline attach 17 --json | jq -r .data
`;

export async function attach(args: string[]): Promise<number> {
  const read = readCommandLine('attach', () =>
    parseOnce({
      args,
      allowPositionals: true,
      options: {
        ...COMMON,
        from: { type: 'string', default: 'start' },
        on: { type: 'string' },
        stdin: { type: 'boolean', default: false },
        'no-fold': { type: 'boolean', default: false },
      },
    }),
  );
  if (typeof read === 'number') return read;
  const { values, positionals } = read;
  const [given, ...more] = positionals;
  const id = readRunId(given);
  if (id === undefined || more.length > 0) {
    const why = `the number of a run is expected, not ${JSON.stringify(positionals.join(' '))}`;
    return misuse('attach', given === undefined ? 'ID is missing: the number of a run' : why);
  }
  const from = readFrom(values.from);
  if (from === undefined) {
    return misuse('attach', `--from takes start, end or a number of bytes, not ${JSON.stringify(values.from)}`);
  }
  const interruption = watchInterruption();
  try {
    const { signal } = interruption;
    const client = await connectForRuns(hostOf(values.host), { command: 'attach', signal });
    if ('refused' in client) return fail(client.refused);
    try {
      const known = await hostsOf(client, id);
      if (typeof known === 'string') return fail(known);
      const hosts = chosen(known, values.on);
      if (typeof hosts === 'string') return fail(hosts);
      const several = `run ${id} is on ${hosts.length} machines: --on NAME says which one`;
      if (hosts.length > 1 && typeof from === 'number' && from > 0)
        return fail(`A cursor is of one machine, and ${several}`);
      if (hosts.length > 1 && values.stdin) return fail(`Input is for one machine, and ${several}`);
      const { json: isJson } = values;
      const where = values.host === undefined ? '' : ` --host ${shellWord(values.host)}`;
      const on = values.on === undefined ? '' : ` --on ${shellWord(values.on)}`;
      return await watch(client, {
        command: 'attach',
        id,
        hosts,
        from,
        isJson,
        isFolding: !values['no-fold'],
        givesInput: values.stdin,
        interruption,
        comeBack: `partyline attach ${id}${where}${on}`,
      });
    } finally {
      client.close();
    }
  } catch (error) {
    if (interruption.name === undefined) throw error;
    return INTERRUPTED[interruption.name];
  } finally {
    interruption.stop();
  }
}

function readFrom(text: string): number | 'end' | undefined {
  if (text === 'start') return 0;
  if (text === 'end') return 'end';
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** Those that are named; a text says which is not there. */
function chosen(hosts: readonly WatchedHost[], names: string | undefined): readonly WatchedHost[] | string {
  if (names === undefined) return hosts;
  const wanted = names.split(/[\s,]+/).filter((name) => name !== '');
  const isOf = (name: string) => (host: WatchedHost) => host.name.toLowerCase() === name.toLowerCase();
  const unknown = wanted.find((name) => !hosts.some(isOf(name)));
  if (unknown !== undefined) return `the run is not on ${JSON.stringify(unknown)}`;
  if (wanted.length === 0) return '--on names no machine';
  return hosts.filter((host) => wanted.some((name) => isOf(name)(host)));
}

function fail(reason: string): number {
  say(reason, 'attach');
  return UNREACHED_STATUS;
}
