// A probe as one screen, for a person: from the name to the verdict. Plain text that can be quoted; only where a terminal
// shows it are there rows of characters for the times.

import { grouped, sentenceOf } from '../../client/verdict/words.ts';
import type { Finding } from '../../client/verdict/finding.ts';
import type { AddressFacts, FamilyFacts, LinkFacts, ProbeFacts, Sweep } from '../../client/probe/facts.ts';
import { lossOf, spreadOf } from '../../client/probe/tally.ts';
import type { AddressFamily, Attempt } from '../../net/race.ts';
import { escapeControls } from '../../protocol/text.ts';
import { bold, wrap, type Look } from './look.ts';
import { highest, sparkline } from './sparkline.ts';

const LABEL_COLUMNS = 9;
/** Of the race's bars. */
const BAR_COLUMNS = 24;
/** Narrower, and each line would be a word. */
const LEAST_COLUMNS = 20;

export function textReport(facts: ProbeFacts, findings: readonly Finding[], look: Look): string {
  const { host, port, families, race } = facts;
  const maxMs = highest([...families.values()].map(({ link }) => link?.rounds.times ?? []));
  const sections: [label: string, lines: readonly string[]][] = [
    ['Name', [...families].flatMap(([family, one]) => nameLine(family, one))],
    ['Race', families.size > 1 || race.length > 1 ? raceLines(race) : []],
    ['Connect', connectLines([...families.values()].flatMap(({ addresses }) => addresses))],
    ...[...families].map(([family, { link }]): [string, readonly string[]] => [
      `IPv${family}`,
      link === undefined ? [] : linkLines(link, { maxMs, look }),
    ]),
    ['Verdict', findings.map((finding) => asSentence(sentenceOf(finding, facts), host))],
  ];
  const body = sections.flatMap(([label, lines]) => labelled(label, lines.map(escapeControls), look));
  return [`Probing ${escapeControls(host)} port ${port}`, ...body].map((line) => `${line}\n`).join('');
}

function labelled(label: string, lines: readonly string[], look: Look): string[] {
  const columns = look.columns === undefined ? undefined : Math.max(look.columns - LABEL_COLUMNS - 1, LEAST_COLUMNS);
  const cut = lines.flatMap((line) => (columns === undefined || line.length <= columns ? [line] : wrap(line, columns)));
  const [title, blank] = [label.padEnd(LABEL_COLUMNS), ' '.repeat(LABEL_COLUMNS)];
  return cut.map((line, at) => (at === 0 ? bold(title, look) : blank) + line);
}

/** In one line they stand behind each other; here each begins one. A host is written as it is. */
function asSentence(text: string, host: string): string {
  return text.startsWith(host) ? text : text.charAt(0).toUpperCase() + text.slice(1);
}

function nameLine(family: AddressFamily, { name }: FamilyFacts): string[] {
  if (name.tookMs === undefined) return [];
  const found = name.failed === undefined ? name.addresses.join(' ') : name.failed.why;
  return [`${(family === 4 ? 'A' : 'AAAA').padEnd(4)}  ${ms(name.tookMs)} ms  ${found}`];
}

/** When each attempt began and ended, drawn as well. */
function raceLines(race: readonly Attempt[]): string[] {
  const totalMs = Math.max(...race.map(({ endedAtMs }) => endedAtMs), 0.001);
  const at = (time: number): number => Math.round((time / totalMs) * BAR_COLUMNS);
  const [starts, longest] = [race.map(({ startedAtMs }) => ms(startedAtMs)), longestOf(race)];
  const width = Math.max(...starts.map(({ length }) => length), 0);
  return race.map(({ address, startedAtMs, endedAtMs, outcome, reason }, index) => {
    const from = Math.min(at(startedAtMs), BAR_COLUMNS - 1);
    const bar = `${' '.repeat(from)}${'='.repeat(Math.max(at(endedAtMs) - from, 1))}`.padEnd(BAR_COLUMNS);
    const what = outcome === 'connected' ? 'wins' : `${outcome}: ${reason ?? ''}`;
    const start = (starts[index] ?? '').padStart(width);
    return `${start} ms  [${bar}]  ${address.padEnd(longest)}  ${what} at ${ms(endedAtMs)} ms`;
  });
}

function connectLines(addresses: readonly AddressFacts[]): string[] {
  const longest = longestOf(addresses);
  return addresses.map(({ address, embeds, connectMs, tlsMs, failed }) => {
    const parts = [
      ...(connectMs === undefined ? [] : [`${ms(connectMs)} ms`]),
      ...(tlsMs === undefined ? [] : [`TLS ${ms(tlsMs)} ms`]),
      ...(failed === undefined ? [] : [failed.why]),
      ...(embeds === undefined ? [] : [`by NAT64 to ${embeds}`]),
    ];
    return `${address.padEnd(longest)}  ${parts.join(', ')}`;
  });
}

interface Showing {
  readonly maxMs: number;
  readonly look: Look;
}

function linkLines({ local, server, rounds, sweep, ending }: LinkFacts, { maxMs, look }: Showing): string[] {
  const { count, lost } = lossOf(rounds);
  const spread = spreadOf(rounds);
  const times =
    spread === undefined
      ? ''
      : `; ms: ${(['min', 'p50', 'p95', 'p99', 'max', 'jitter'] as const).map((key) => `${key} ${ms(spread[key])}`).join(', ')}`;
  const drawn = sparkline(rounds.times, {
    maxMs,
    columns: (look.columns ?? 0) - LABEL_COLUMNS - 1,
    isUtf8: look.isUtf8,
  });
  return [
    `${count} echoes of ${rounds.sizeBytes} bytes, ${lost} lost${times}`,
    ...(look.isLive ? [drawn] : []),
    ...(sweep === undefined ? [] : [sizeLine(sweep)]),
    ...(ending === undefined ? [] : [`After our FIN ${ENDINGS[ending]}`]),
    server.kind === 'partyline'
      ? `Here ${at(local)}, there ${at(server.seenAs)}, as ${server.name} sees it`
      : `Here ${at(local)}; a plain server does not say how it sees that`,
  ];
}

const ENDINGS = {
  answers: 'it sends what it owes, and its own',
  'stays-open': 'it sends what it owes, and no FIN',
  cuts: 'it sends its own, and not what it owes',
  resets: 'it resets the connection',
  silent: 'nothing comes',
} as const satisfies Record<NonNullable<LinkFacts['ending']>, string>;

function sizeLine({ passes, fails, sizes }: Sweep): string {
  if (passes === undefined) return 'No size comes back';
  const whole = sizes.find(({ bytes, came }) => bytes === passes && came === 'back');
  const up = `Up to ${grouped(passes)} bytes at once come back unchanged, in ${ms(whole?.tookMs ?? 0)} ms`;
  return fails === undefined ? up : `${up}; ${grouped(fails.bytes)} bytes ${CAME[fails.came]}`;
}

const CAME = {
  back: 'do',
  late: 'do not',
  changed: 'are changed',
  closed: 'end the connection',
  reset: 'reset the connection',
  broken: 'break the connection',
} as const;

function at({ address, port }: { address: string; port: number }): string {
  return `${address} port ${port}`;
}

function longestOf(all: readonly { readonly address: string }[]): number {
  return Math.max(...all.map(({ address }) => address.length), 0);
}

function ms(value: number): string {
  return value.toFixed(3);
}
