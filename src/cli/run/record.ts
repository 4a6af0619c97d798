// A run on record as it is shown: in words, as JSON, and what is kept of its outputs.

import type { Client, RunDetails, RunRecord } from '../../client/mod.ts';
import { SIGNAL_STATUS_BASE } from '../../client/outcome.ts';
import { escapeControls } from '../../protocol/text.ts';
import { jsonLine } from '../kit/json-line.ts';
import { print } from '../kit/print.ts';
import { localTime } from '../kit/time.ts';
import { shellWord } from '../kit/shell-word.ts';

export type Command = string | readonly string[];
type Result = RunDetails['results'][number];
type OutputName = 'stdout' | 'stderr';

/** A line for a shell is a string, a vector an array, and so is a verb that was denied. */
export function commandOf(command: RunRecord['command']): Command {
  if ('verb' in command) return [`@${command.verb}`, ...command.args];
  return 'shell' in command ? command.shell : command.argv;
}

export function textOf(command: Command): string {
  return typeof command === 'string' ? command : command.map(shellWord).join(' ');
}

/** `truncated` says how many bytes of an output are not kept. */
export function toJson(run: RunRecord | RunDetails): object {
  const { command, results, isCut, ...rest } = run;
  const output = (facts: Result['stdout'] | undefined) =>
    facts === undefined || facts === null ? facts : { ...facts, truncated: facts.bytes - facts.head - facts.tail };
  const counted = results.map((result) => {
    if (!('stdout' in result)) return result;
    return Object.assign({}, result, { stdout: output(result.stdout), stderr: output(result.stderr) });
  });
  return { ...rest, command: commandOf(command), ...(isCut === true ? { isCut } : {}), results: counted };
}

/** What became of a request that nobody approved. */
const DECIDED = { denied: 'denied', expired: 'expired', withdrawn: 'taken back' } as const;

/** `ok`, or `2 ok, 1 exit 3`. */
export function wordsForResults({ results, decided }: Pick<RunRecord, 'results' | 'decided'>): string {
  if (decided !== undefined) return DECIDED[decided];
  const counts = new Map<string, number>();
  for (const result of results) counts.set(wordsFor(result), (counts.get(wordsFor(result)) ?? 0) + 1);
  const words = Array.from(counts, ([word, count]) => (counts.size === 1 ? word : `${count} ${word}`));
  return words.join(', ');
}

function wordsFor({ result, status }: RunRecord['results'][number]): string {
  if (result === 'exited') return status === 0 ? 'ok' : `exit ${status}`;
  return result === 'signalled' ? `signal ${(status ?? 0) - SIGNAL_STATUS_BASE}` : result;
}

export async function showRun(run: RunDetails): Promise<void> {
  const lines = [
    `run ${run.id} by ${run.by}${run.as === undefined ? '' : `, as ${run.as},`} from ${run.from}`,
    `${textOf(commandOf(run.command))}${run.isCut === true ? ' … (it is longer)' : ''}`,
    wordsForTimes(run),
    ...(run.approvedBy === undefined
      ? []
      : [`approved by ${run.approvedBy}, the request with SHA-256 ${run.approval ?? ''}`]),
    ...settingLines(run),
    ...run.results.flatMap((result) => linesFor(result, run.decided)),
  ];
  await print(lines.map((line) => `${escapeControls(line)}\n`).join(''));
}

type Times = Pick<RunDetails, 'started' | 'ended' | 'decided' | 'results'>;

/** What was denied, or meant a machine that was away, has neither begun nor ended. */
export function wordsForTimes({ started, ended, decided, results }: Times): string {
  const [begun, over] = [started, ended].map((at) => at && localTime(at));
  if (decided !== undefined) return `asked ${begun}, ${DECIDED[decided]} ${over}`;
  const wasStarted = results.some(
    ({ result, stdin }) => stdin !== null || (result !== 'denied' && result !== 'offline'),
  );
  if (wasStarted) return `started ${begun}, ${over === null ? 'not ended' : `ended ${over}`}`;
  return results.some(({ result }) => result === 'denied')
    ? `denied at ${over}`
    : `asked for at ${over}, and not started`;
}

function settingLines({ cwd, env = [], terminal, leftOut }: RunDetails): string[] {
  return [
    ...(typeof cwd === 'string' ? [`in ${cwd}`] : []),
    ...(terminal === true ? ['in a terminal'] : []),
    ...(env.length > 0 ? [`with ${env.join(', ')} set`] : []),
    ...(leftOut === undefined
      ? []
      : [`and ${leftOut} more refused attempts by the account until then, without a record each`]),
  ];
}

function linesFor(result: Result, decided: RunDetails['decided']): string[] {
  const { host, reason, started, ended } = result;
  const hasRun = ended !== null && result.result !== 'denied' && result.result !== 'offline';
  const took = !hasRun ? '' : ` after ${(Date.parse(ended) - Date.parse(started)) / 1_000} s`;
  const why = reason === undefined ? '' : `: ${reason}`;
  const streams = (['stdin', 'stdout', 'stderr'] as const).flatMap((name) => {
    const facts = result[name];
    if (facts === null || facts.bytes === 0) return [];
    return [`  ${name} ${facts.bytes} bytes, SHA-256 ${facts.sha256}${'head' in facts ? wordsForKept(facts) : ''}`];
  });
  const how = decided === undefined ? wordsFor(result) : DECIDED[decided];
  return [`${host} ${how}${took}${why}`, ...streams];
}

function wordsForKept({ bytes, head, tail }: Exclude<Result['stdout'], null>): string {
  return head + tail === bytes ? '' : `; truncated: the first ${head} and the last ${tail} are kept`;
}

interface Showing {
  readonly run: RunDetails;
  readonly stream: OutputName;
  readonly isJson: boolean;
}

export async function showOutput(client: Client, { run, stream, isJson }: Showing): Promise<void> {
  for (const [at, result] of run.results.entries()) {
    const facts = result[stream];
    if (facts === null) {
      say(`what ${result.host} said on ${stream} is not known`);
      continue;
    }
    const pieces: Uint8Array[] = [];
    for await (const piece of client.output(run.id, { host: at, stream })) pieces.push(piece);
    const bytes = Buffer.concat(pieces);
    const { host } = result;
    const truncated = facts.bytes - facts.head - facts.tail;
    if (isJson) {
      const data = bytes.toString();
      const isText = Buffer.from(data).equals(bytes);
      const content = isText ? { data } : { dataBase64: bytes.toString('base64') };
      await print(jsonLine({ id: run.id, host, stream, ...content, truncated }));
      continue;
    }
    if (run.results.length > 1) await print(labelled(host, bytes));
    else await print(process.stdout.isTTY ? shown(bytes) : bytes);
    if (truncated > 0) say(`${truncated} bytes of ${stream} of ${host} are not kept, after the first ${facts.head}`);
  }
}

function labelled(host: string, bytes: Buffer): string {
  const lines = bytes.toString().replace(/\n$/, '').split('\n');
  return bytes.length === 0 ? '' : lines.map((line) => `${escapeControls(`${host}: ${line}`)}\n`).join('');
}

/** A terminal is not driven by what a command once said. */
function shown(bytes: Buffer): string {
  return bytes.toString().split('\n').map(escapeControls).join('\n');
}

function say(text: string): void {
  process.stderr.write(`partyline runs: ${escapeControls(text)}\n`);
}
