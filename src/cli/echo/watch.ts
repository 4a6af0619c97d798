// `partyline echo --probe --watch`: a probe again and again, each time with the name asked for anew. A line for each, a
// line for what is new, and a history that outlives the watch.

import { setTimeout as wait } from 'node:timers/promises';
import { newsOf, seenOf, type News, type Seen, type SeenTimes } from '../../client/probe/changes.ts';
import type { ProbeFacts } from '../../client/probe/facts.ts';
import { findingsOf, isWorking } from '../../client/verdict.ts';
import type { Finding } from '../../client/verdict/finding.ts';
import type { ProbeHistory } from '../../config/probe-history.ts';
import { formatDate } from '../../protocol/date.ts';
import { escapeControls } from '../../protocol/text.ts';
import { jsonLine } from '../kit/json-line.ts';
import { probeObject, verdictOf } from './probe-json.ts';
import type { Teller } from './tell.ts';

export interface Watch {
  readonly everyMs: number;
  readonly measure: () => Promise<ProbeFacts>;
  readonly history: ProbeHistory;
  readonly teller: Teller | undefined;
  readonly json: boolean;
  readonly write: (text: string) => Promise<void>;
  readonly complain: (line: string) => void;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Until it is interrupted; the facts of the last probe that came to its end. */
export async function watchProbe(watch: Watch): Promise<ProbeFacts | undefined> {
  const { signal, everyMs, history, complain } = watch;
  const read = history.read();
  if ('why' in read) complain(`Cannot read what was seen before in ${history.path}: ${read.why}`);
  let past: readonly Seen[] = 'why' in read ? [] : read.filter(isSeen);
  const known = new Set(past.flatMap(({ addresses }) => addresses));
  let isFirst = true;
  let last: ProbeFacts | undefined;
  let complaint: string | undefined;
  const keep = (seen: Seen): void => {
    const failed = history.add(seen);
    if (failed !== undefined && failed !== complaint)
      complain(`Cannot keep what was seen in ${history.path}: ${failed}`);
    complaint = failed;
  };
  while (!signal.aborted) {
    const startedAt = performance.now();
    const facts = await unlessAborted(watch.measure(), signal);
    if (facts === undefined) break;
    last = facts;
    const at = new Date();
    const findings = findingsOf(facts);
    const seen = seenOf(facts, findings, at);
    const before = past.findLast(({ asked }) => asked === seen.asked);
    const news = newsOf(seen, before, known);
    await watch.write(
      watch.json ? objectLine(facts, { findings, at, news }) : textLines(facts, { findings, at, news, seen, isFirst }),
    );
    for (const one of news) watch.teller?.add(wordsFor(one, findings, facts));
    // The next probe waits for no server. What is still being told when the watch ends is new to the next one: it is not kept.
    void (watch.teller?.flush() ?? Promise.resolve()).then(() => keep(seen));
    remember(known, seen.addresses);
    past = [seen];
    isFirst = false;
    await wait(Math.max(0, everyMs - (performance.now() - startedAt)), undefined, { signal }).catch(() => {});
  }
  return last;
}

interface Told {
  readonly findings: readonly Finding[];
  readonly at: Date;
  readonly news: readonly News[];
}

function objectLine(facts: ProbeFacts, { findings, at, news }: Told): string {
  const shown = news.map((one) => ('family' in one ? { ...one, family: `ipv${one.family}` } : one));
  return jsonLine({ ...probeObject(facts, findings, at), news: shown });
}

function textLines(facts: ProbeFacts, told: Told & { readonly seen: Seen; readonly isFirst: boolean }): string {
  const { findings, at, news, seen, isFirst } = told;
  const families = [...facts.families.keys()].map((family) => {
    const works = isWorking(family, facts) ? 'works' : 'does not work';
    return `IPv${family} ${times(family === 4 ? seen.ipv4 : seen.ipv6) ?? works}`;
  });
  const lines = [
    ...(isFirst ? [verdictOf(findings, facts)] : []),
    ...news.map((one) => wordsFor(one, findings, facts)),
    families.join('; '),
  ];
  return lines.map((line) => `${formatDate(at.getTime())}  ${escapeControls(line)}\n`).join('');
}

function wordsFor(one: News, findings: readonly Finding[], facts: ProbeFacts): string {
  return one.news === 'new-address'
    ? `[NEW ADDRESS] ${facts.host} is now ${one.address} as well`
    : `[CHANGED] ${verdictOf(findings, facts)}`;
}

function times(seen: SeenTimes | undefined): string | undefined {
  return seen && `${seen.p50.toFixed(3)} ms${seen.lost === 0 ? '' : `, ${seen.lost} of ${seen.count} lost`}`;
}

/** Of a name whose addresses go round there is always another: those seen first are forgotten. */
const MAX_KNOWN = 1_000;

function remember(known: Set<string>, addresses: readonly string[]): void {
  for (const address of addresses) {
    // It is the latest one again.
    known.delete(address);
    known.add(address);
  }
  for (const oldest of known) {
    if (known.size <= MAX_KNOWN) break;
    known.delete(oldest);
  }
}

/** The file is a person's: what does not look like an entry is left out. */
function isSeen(entry: unknown): entry is Seen {
  if (entry === null || typeof entry !== 'object') return false;
  if (!('state' in entry && 'addresses' in entry && 'asked' in entry)) return false;
  const areStrings = (value: unknown): boolean => Array.isArray(value) && value.every((one) => typeof one === 'string');
  return areStrings(entry.state) && areStrings(entry.addresses) && typeof entry.asked === 'string';
}

async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const { promise: aborted, resolve } = Promise.withResolvers<undefined>();
  const onAbort = () => resolve(undefined);
  signal.addEventListener('abort', onAbort);
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
