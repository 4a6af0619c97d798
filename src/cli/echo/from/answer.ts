// What a machine says when it is asked for a probe: the object of `echo --probe --json`, held against what it has to be,
// since any program may have said it; or why there is none.

import type { Finding } from '../../../client/verdict/finding.ts';
import type { AddressFamily } from '../../../net/race.ts';
import type { HostResult } from '../../../protocol/summary.ts';
import { escapeControls, quote, shorten } from '../../../protocol/text.ts';
import { USAGE_STATUS } from '../../kit/status.ts';
import { NONE_WORKS } from '../status.ts';

/** A probe's object has at most some 40 KiB: a thousand times of each family are the most of it. */
export const MAX_ANSWER_BYTES = 262_144;
/** Of stderr: its first line says why. */
export const MAX_COMPLAINT_BYTES = 4_096;
/** UTF-16 units of somebody else's sentence. */
const MAX_SENTENCE_LENGTH = 500;
/** Of an answer that is none, enough to see what it is. */
const MAX_QUOTED_LENGTH = 60;
/** A probe has a few; each is held as long as the others are waited for. */
const MAX_NOTES = 24;

export type Answer = Answered | Unanswered;

/** The machine has measured. */
export interface Answered {
  readonly kind: 'answered';
  readonly cells: ReadonlyMap<AddressFamily, Cell>;
  /** What else was found, as the machine words it. */
  readonly notes: readonly Note[];
  /** As it came. */
  readonly object: Readonly<Record<string, unknown>>;
}

export type Cell =
  | { readonly works: true; readonly ms: number; readonly lost: number; readonly count: number }
  /** In a few words. */
  | { readonly works: false; readonly why: string };

export interface Note {
  /** Of one kind and family: what differs is numbers and addresses. */
  readonly key: string;
  readonly says: string;
}

export interface Unanswered {
  readonly kind: 'unanswered';
  /** In a few words. */
  readonly word: string;
  /** A sentence, where the words do not say it all. */
  readonly why: string | undefined;
}

export interface Said {
  readonly result: HostResult;
  /** Why it did not start, or was lost. */
  readonly reason: string | undefined;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  /** There was more than a probe ever says. */
  readonly isTooLong: boolean;
}

/** As a shell has them. */
const NOT_EXECUTABLE = 126;
const NOT_FOUND = 127;

export function answerOf(said: Said, families: readonly AddressFamily[]): Answer {
  const { result, reason } = said;
  // It has met a broken pipe then, and may have died of that.
  if (said.isTooLong) return no('no probe', 'it says more than a probe does');
  switch (result.result) {
    case 'exited':
      return readAnswer(said, result.status, families);
    case 'timeout':
      return no('too slow', 'it had not ended when its time was over');
    case 'signalled':
      return no('killed', `it died of signal ${result.signal} there`);
    case 'cancelled':
    case 'running':
    case 'not-started':
      return no('not measured');
    case 'offline':
      return no('offline');
    case 'denied':
    case 'lost':
      return no(result.result, reason);
  }
}

function readAnswer(said: Said, status: number, families: readonly AddressFamily[]): Answer {
  const complaint = firstLine(said.stderr);
  if (status === NOT_FOUND) return no('no partyline', complaint ?? 'no partyline is found there');
  if (status === NOT_EXECUTABLE) return no('no partyline', complaint ?? 'the partyline there cannot be executed');
  if (status > NONE_WORKS) {
    // Used wrongly, it says.
    const isOther = status === USAGE_STATUS;
    const what = isOther ? 'the partyline there does not know this question' : `it ended with ${status}`;
    return no(isOther ? 'another version' : 'failed', complaint === undefined ? what : `${what}: ${complaint}`);
  }
  const text = Buffer.from(said.stdout).toString('utf8').trim();
  return readObject(text, families) ?? no('no probe', `what it says is no probe: ${quote(text, MAX_QUOTED_LENGTH)}`);
}

function readObject(text: string, families: readonly AddressFamily[]): Answered | undefined {
  const object = parseObject(text);
  if (object === undefined || typeof object['host'] !== 'string' || typeof object['verdict'] !== 'string')
    return undefined;
  const { winner } = object;
  if (winner !== null && winner !== 'ipv4' && winner !== 'ipv6') return undefined;
  const found = Array.isArray(object['findings']) ? object['findings'].filter(isObject) : [];
  const cells = new Map<AddressFamily, Cell>();
  for (const family of families) {
    const cell = readCell(
      object[`ipv${family}`],
      found.find((one) => isTrouble(one, family)),
    );
    if (cell === undefined) return undefined;
    cells.set(family, cell);
  }
  return { kind: 'answered', cells, notes: found.flatMap(readNote).slice(0, MAX_NOTES), object };
}

/** With `--connect` there are no round trips, and the time to connect counts. */
function readCell(measured: unknown, trouble: Record<string, unknown> | undefined): Cell | undefined {
  if (measured === null) return { works: false, why: wordsFor(trouble?.['code']) };
  if (!isObject(measured) || !Array.isArray(measured['addresses'])) return undefined;
  const { rtt, connectMs } = measured;
  if (rtt === undefined || rtt === null)
    return isNumber(connectMs) ? { works: true, ms: connectMs, lost: 0, count: 0 } : undefined;
  if (!isObject(rtt)) return undefined;
  const { p50, lost, count } = rtt;
  return isNumber(p50) && isNumber(lost) && isNumber(count) ? { works: true, ms: p50, lost, count } : undefined;
}

/** Why a family does not work, in a word or two: a cell of a table is small. */
const IN_SHORT = {
  'unknown-name': 'no such name',
  'no-address': 'no address',
  'lookup-failed': 'lookup failed',
  refused: 'refused',
  'no-answer': 'no answer',
  'no-route': 'no route',
  'not-connected': 'no connection',
  'no-family-here': 'no address of its own',
  'no-echo-server': 'no echo server',
  'tls-failed': 'TLS fails',
  'no-echo': 'no echo',
  changed: 'bytes changed',
  'black-hole': 'black hole',
  'large-lost': 'large lost',
  'large-ends': 'large cut off',
} as const satisfies Partial<Record<Finding['code'], string>>;

const SHORT: Readonly<Record<string, string>> = IN_SHORT;

function isTrouble(finding: Record<string, unknown>, family: AddressFamily): boolean {
  const { code, family: of } = finding;
  return typeof code === 'string' && Object.hasOwn(SHORT, code) && (of === `ipv${family}` || code === 'unknown-name');
}

function wordsFor(code: unknown): string {
  return (typeof code === 'string' && Object.hasOwn(SHORT, code) ? SHORT[code] : undefined) ?? 'does not work';
}

/** What the table says anyway, or what differs from one machine to the next by nature. */
const IN_THE_TABLE: ReadonlySet<string> = new Set([
  'works',
  'connects',
  'unusable',
  'unreachable',
  'closed',
  'untried',
  'same-speed',
  'faster',
] satisfies Finding['code'][]);

function readNote({ code, family, says }: Record<string, unknown>): Note[] {
  if (typeof code !== 'string' || typeof says !== 'string' || IN_THE_TABLE.has(code)) return [];
  return [{ key: `${code} ${typeof family === 'string' ? family : ''}`, says: sentence(says) }];
}

function no(word: string, why?: string): Unanswered {
  return { kind: 'unanswered', word, why: why === undefined ? undefined : sentence(why) };
}

function sentence(text: string): string {
  return shorten(escapeControls(text), MAX_SENTENCE_LENGTH);
}

function firstLine(bytes: Uint8Array): string | undefined {
  const [line = ''] = Buffer.from(bytes).toString('utf8').trim().split('\n');
  return line === '' ? undefined : line.trim();
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** None of these is below 0; and JSON has `1e999`. */
function isNumber(value: unknown): value is number {
  return Number.isFinite(value) && Number(value) >= 0;
}
