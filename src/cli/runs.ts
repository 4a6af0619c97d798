// `partyline runs`: what was run, by whom, where, and how it ended; and one run with all that is on record of it.

import { parseOnce } from './kit/arguments.ts';
import { escapeControls } from '../protocol/text.ts';
import type { Client, RunRecord } from '../client/mod.ts';
import { misuse, whileIn } from './kit/come-in.ts';
import { jsonLine } from './kit/json-line.ts';
import { formatNodeSet } from '../protocol/node-set.ts';
import {
  COMMON,
  COMMON_HELP,
  CREDENTIAL_HELP,
  hostOf,
  readCommandLine,
  readNumbers,
  readRunId,
} from './kit/options.ts';
import { print, table } from './kit/print.ts';
import { localTime } from './kit/time.ts';
import { commandOf, showOutput, showRun, textOf, toJson, wordsForResults } from './run/record.ts';

export const HELP = `What was run: who, where, what, and how it ended

Usage: partyline runs [--limit N] [--before ID]
       partyline runs show ID [--stdout] [--stderr]
       partyline runs cancel ID

  --limit N          the newest N (20); there is no upper limit
  --before ID        only what was started before this run
  --stdout           of show: what is kept of the command's output, as it came
  --stderr           of show: the same of its errors
${COMMON_HELP}

Every run is on record, on how many machines whatever: your own, those that you approved, and to the owner all. Of each output the server keeps the first
and the last bytes (serve --keep-output), its length and its SHA-256. What is missing between the two is said on standard
error. Of several machines each line has its machine before it. partyline verify finds a record that was changed.

${CREDENTIAL_HELP}

A run that was left (partyline run --detach) is ended by cancel on all its machines: by whoever started it, and by the owner.

Examples:
  partyline runs --limit 100
  partyline runs show 17
  partyline runs show 17 --stdout > output
  partyline runs cancel 17
  partyline runs --json | jq 'select(.results | any(.status != 0)).id'
`;

/** Runs that fit a terminal. */
const DEFAULT_LIMIT = 20;
/** Of one answer. */
const PAGE = 500;
/** Code points of a command in the list. */
const MAX_COMMAND_LENGTH = 80;

export async function runs(args: string[]): Promise<number> {
  const read = readCommandLine('runs', () =>
    parseOnce({
      args,
      allowPositionals: true,
      options: {
        ...COMMON,
        limit: { type: 'string' },
        before: { type: 'string' },
        stdout: { type: 'boolean', default: false },
        stderr: { type: 'boolean', default: false },
      },
    }),
  );
  if (typeof read === 'number') return read;
  const { values, positionals } = read;
  const [verb, given, ...more] = positionals;
  const numbers = readNumbers(values, ['limit', 'before'], { id: 'the number of a run' });
  if (typeof numbers === 'string') return misuse('runs', numbers);
  const { stdout, stderr, json: isJson } = values;
  const going = { command: 'runs', host: hostOf(values.host) };
  if (verb === undefined) {
    if (stdout || stderr) return misuse('runs', '--stdout and --stderr are for partyline runs show ID');
    return whileIn(going, (client) => list(client, { ...numbers, isJson }));
  }
  if (verb !== 'show' && verb !== 'cancel') {
    return misuse('runs', `show ID or cancel ID is expected, not ${JSON.stringify(verb)}`);
  }
  if (more.length > 0) return misuse('runs', `${verb} takes one ID, not ${more.length + 1}`);
  const id = readRunId(given);
  if (given === undefined) return misuse('runs', `ID is missing after ${verb}: the number of a run`);
  if (id === undefined) return misuse('runs', `${verb} takes the number of a run, not ${JSON.stringify(given)}`);
  if (verb === 'cancel') return whileIn(going, (client) => cancel(client, { id, isJson }));
  const streams = [...(stdout ? (['stdout'] as const) : []), ...(stderr ? (['stderr'] as const) : [])];
  return whileIn(going, async (client) => {
    const run = await client.showRun(id);
    if (streams.length === 0) await (isJson ? print(jsonLine(toJson(run))) : showRun(run));
    for (const stream of streams) await showOutput(client, { run, stream, isJson });
    return 0;
  });
}

const STATES = {
  ended: 'has ended already',
  ending: 'is being ended',
  away: 'is offline: it will be ended there when it is back',
} as const;

async function cancel(client: Client, { id, isJson }: { id: number; isJson: boolean }): Promise<number> {
  const hosts = await client.endRun(id);
  await print(
    hosts
      .map(({ host, state }) => (isJson ? jsonLine({ host, state }) : `${escapeControls(host)} ${STATES[state]}\n`))
      .join(''),
  );
  return 0;
}

interface Listing {
  readonly limit?: number;
  readonly before?: number;
  readonly isJson: boolean;
}

/** Read back from the newest, and shown from the oldest. */
async function list(client: Client, { limit = DEFAULT_LIMIT, before, isJson }: Listing): Promise<number> {
  const pages: (readonly RunRecord[])[] = [];
  let left = limit;
  for (let cursor = before; left > 0;) {
    const page = await client.runs({
      limit: Math.min(left, PAGE),
      ...(cursor === undefined ? {} : { before: cursor }),
    });
    pages.push(page.runs);
    left -= page.runs.length;
    cursor = page.runs[0]?.id;
    if (!page.more || cursor === undefined) break;
  }
  const found = pages.toReversed().flat();
  if (isJson) await print(found.map((run) => jsonLine(toJson(run))).join(''));
  else if (found.length === 0) process.stderr.write('partyline runs: no runs\n');
  else await print(table(found.map(inColumns)));
  return 0;
}

function inColumns(run: RunRecord): string[] {
  const command = Array.from(textOf(commandOf(run.command)));
  const isLong = command.length > MAX_COMMAND_LENGTH || run.isCut === true;
  const shown = isLong ? `${command.slice(0, MAX_COMMAND_LENGTH - 1).join('')}…` : command.join('');
  const started = localTime(run.started);
  const more = run.hostsLeftOut === undefined ? '' : ` and ${run.hostsLeftOut} more`;
  const hosts = `${formatNodeSet([...new Set(run.hosts)])}${more}`;
  return [`${run.id}`, started, run.by, hosts, wordsForResults(run), shown];
}
