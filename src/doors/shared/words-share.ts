// A run on record as a message: what was run, by whom and where, how it ended, and the output, said once for all the
// machines that said the same. It is a text of many lines; whoever shows it escapes it, as every text.

import type { RunOnHost, StoredRun } from '../../core/run/record.ts';
import { OutputLines } from '../../protocol/line/output.ts';
import { formatDateUtc } from '../../protocol/date.ts';
import { formatNodeSet } from '../../protocol/node-set.ts';
import { summarise, type HostResult } from '../../protocol/summary.ts';
import { shorten } from '../../protocol/text.ts';
import type { ShareRefusal } from './sharing.ts';
import { askedText } from './words-run.ts';

export function wordsForSharing(refusal: ShareRefusal): string {
  switch (refusal.refused) {
    case 'unknown-record':
      return `Cannot share run ${refusal.id}: there is none of that number among those that you may see; nothing was sent`;
    case 'unreadable':
      return `Cannot share the run: ${refusal.reason}; nothing was sent`;
  }
}

/** Bytes of output in one message, with the machines before each line; what stands above it needs the rest of 65,536. */
export const MAX_SHARED_BYTES = 32_768;
/** Different outputs in one message: each is read from the journal. */
export const MAX_SHARED_OUTPUTS = 32;
/** UTF-16 units of the command; of the machines in the first line, and before a line. */
const MAX_COMMAND_LENGTH = 2_000;
const MAX_WHERE_LENGTH = 1_000;
const MAX_LABEL_LENGTH = 64;
/** Ways to end: more than these are counted. UTF-16 units of each. */
const MAX_SUMMARY_LINES = 10;
const MAX_SUMMARY_LENGTH = 500;
/** What says that something is left out, without the machines. */
const NOTE_BYTES = 100;
/** UTF-16 units of a line of output. */
const MAX_LINE_LENGTH = 4_000;

type Name = 'stdout' | 'stderr';

/** Machines whose outputs are the same to the byte. */
export interface Alike {
  readonly hosts: readonly string[];
  /** Place of the first of them in the record. */
  readonly at: number;
  readonly streams: readonly { readonly name: Name; readonly bytes: number; readonly kept: number }[];
}

/** By their digests, so that one of each need be read. */
export function groupAlike(hosts: readonly RunOnHost[]): readonly Alike[] {
  const groups = new Map<string, { hosts: string[]; at: number; streams: Alike['streams'] }>();
  for (const [at, { host, end }] of hosts.entries()) {
    if (end?.streams === undefined) continue;
    const { stdout, stderr } = end.streams;
    const key = `${stdout.sha256} ${stderr.sha256}`;
    const group = groups.get(key);
    if (group !== undefined) {
      group.hosts.push(host);
      continue;
    }
    const streams = [{ name: 'stdout', ...stdout } as const, { name: 'stderr', ...stderr } as const]
      .filter(({ bytes }) => bytes > 0)
      .map(({ name, bytes, head, tail }) => ({ name, bytes, kept: head + tail }));
    groups.set(key, { hosts: [host], at, streams });
  }
  return [...groups.values()];
}

export interface Read {
  readonly hosts: readonly string[];
  readonly outputs: readonly {
    readonly name: Name;
    readonly head: Uint8Array;
    readonly tail: Uint8Array;
    readonly missing: number;
  }[];
}

/** `read`: of the first groups; `left`: machines of those that were not read. */
export function shareText(run: StoredRun, read: readonly Read[], left: readonly string[]): string {
  const lines = [firstLine(run), ...summaryOf(run)];
  let leftBytes = MAX_SHARED_BYTES;
  for (const [at, group] of read.entries()) {
    const share = Math.floor(leftBytes / (read.length - at));
    const said = linesOf(group, share);
    leftBytes -= bytesOf(said);
    lines.push(...said);
  }
  if (left.length > 0) lines.push(`truncated: what ${left.length} other machines said is left out`);
  return lines.join('\n');
}

function firstLine({ id, byName, asName, approved, command, hosts }: StoredRun): string {
  const where = shorten(formatNodeSet(hosts.map(({ host }) => host)), MAX_WHERE_LENGTH);
  const as = asName === undefined ? '' : `, as ${asName}`;
  const by = approved === undefined ? '' : `, approved by ${approved.by}`;
  const at = formatDateUtc(hosts[0]?.startedMs ?? 0);
  return `run ${id} on ${where} by ${byName}${as}${by} at ${at}: ${askedText(command, MAX_COMMAND_LENGTH)}`;
}

/** `2 ok, 1 exit 3`. */
export function countedResults(hosts: readonly RunOnHost[]): string {
  return summarise(resultsOf(hosts))
    .map(({ words }) => words)
    .join(', ');
}

function resultsOf(hosts: readonly RunOnHost[]): ReadonlyMap<string, HostResult> {
  return new Map(hosts.map(({ host, end }) => [host, resultOf(end)]));
}

function summaryOf({ hosts }: StoredRun): string[] {
  const lines = summarise(resultsOf(hosts));
  const shownLines = lines.slice(0, MAX_SUMMARY_LINES).map(({ text }) => shorten(text, MAX_SUMMARY_LENGTH));
  const more = lines.length - shownLines.length;
  return more === 0 ? shownLines : [...shownLines, `and ${more} other ways to end`];
}

function resultOf(end: RunOnHost['end']): HostResult {
  if (end === undefined) return { result: 'running' };
  const { result } = end;
  switch (result.result) {
    case 'exited':
    case 'timeout':
    case 'cancelled':
    case 'signalled':
      return result;
    case 'denied':
    case 'offline':
    case 'lost':
      return { result: result.result };
  }
}

/** The first and the last of them, as many as fit; what is missing between is counted. */
function linesOf({ hosts, outputs }: Read, maxBytes: number): string[] {
  const label = shorten(formatNodeSet(hosts), MAX_LABEL_LENGTH);
  if (outputs.length === 0) return [`${label} no output`];
  return outputs.flatMap(({ name, head, tail, missing }, at) => {
    const sign = name === 'stdout' ? '|' : '!';
    const toLine = (text: string) => `${label}${sign} ${shorten(text, MAX_LINE_LENGTH)}`;
    const [first, last] =
      missing === 0 ? [[...textLines(head, tail)], []] : [[...textLines(head)], [...textLines(tail)]];
    return fitted(
      { first: first.map(toLine), last: last.map(toLine), missing, label },
      Math.floor(maxBytes / (outputs.length - at)),
    );
  });
}

interface Fitting {
  readonly first: readonly string[];
  readonly last: readonly string[];
  readonly missing: number;
  readonly label: string;
}

function fitted({ first, last, missing, label }: Fitting, maxBytes: number): string[] {
  const all = [...first, ...last];
  const isWhole = missing === 0 && bytesOf(all) <= maxBytes;
  if (isWhole) return all;
  const begin = missing === 0 ? all : first;
  const end = missing === 0 ? all : last;
  const half = (maxBytes - NOTE_BYTES - Buffer.byteLength(label)) / 2;
  const front = upTo(begin, half);
  const back = upTo(end.slice(missing === 0 ? front.length : 0).toReversed(), half).toReversed();
  const leftOut = all.length - front.length - back.length;
  const bytes = missing === 0 ? '' : `, and ${missing} bytes that are not kept`;
  return [...front, `${label} truncated: ${leftOut} lines${bytes}`, ...back];
}

function upTo(lines: readonly string[], maxBytes: number): string[] {
  let bytes = 0;
  const end = lines.findIndex((line) => (bytes += Buffer.byteLength(line) + 1) > maxBytes);
  return lines.slice(0, end < 0 ? lines.length : end);
}

function bytesOf(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
}

function textLines(...pieces: readonly Uint8Array[]): string[] {
  const lines = new OutputLines();
  return [...pieces.flatMap((piece) => lines.receive(piece)), ...lines.receiveEnd()];
}
