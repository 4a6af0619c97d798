// The command line of `partyline echo`, read once: what it asks for, or why it cannot be understood.

import { ECHO, NATIVE, readTarget } from '../../client/reach.ts';
import type { AddressFamily } from '../../net/race.ts';
import { formatEchoGreeting, parseEchoGreeting } from '../../protocol/echo/exchange.ts';
import { quote } from '../../protocol/text.ts';
import { joinNames, parseOnce, readNames, whyUnusable } from '../kit/arguments.ts';
import { optionsOfWishes } from './measure.ts';

/** As many as can be kept to find percentiles among: 800 KB of numbers a family. */
const MAX_COUNT = 100_000;
const MAX_INTERVAL_MS = 60_000;
/** Well over any buffer on the way, so that large packets are really under way. */
const MAX_SIZE_BYTES = 1_048_576;
/** Seconds: a probe itself takes one or two, and once a day is what is still watching. */
const MAX_EVERY_S = 86_400;
/** A probe asks for a few connections of each family: so many at once neither disturb each other nor look like an attack. */
const USUAL_BATCH = 32;
const MAX_BATCH = 1_000;

export interface EchoArguments {
  readonly host: string;
  readonly port: number;
  /** By TLS, which is asked for by name: echo is plain text otherwise, beyond loopback too. */
  readonly isTls: boolean;
  readonly family: AddressFamily | undefined;
  /** Undefined with `--raw`. */
  readonly name: string | undefined;
  readonly json: boolean;
  readonly probe: ProbeArguments | undefined;
}

export interface ProbeArguments {
  /** `connect`: whatever listens there, nothing is sent to it. */
  readonly wants: 'echo' | 'connect';
  readonly count: number;
  readonly intervalMs: number;
  readonly sizeBytes: number;
  readonly watch: WatchArguments | undefined;
  /** Asked for by somebody else, who ran this here: nothing is remembered of it. */
  readonly isForOthers: boolean;
  readonly from: FromArguments | undefined;
}

/** From machines that have joined a server. */
export interface FromArguments {
  readonly targets: string;
  /** As it was typed, for them. */
  readonly target: string;
  /** The server that they have joined. */
  readonly host: string;
  /** Not asked for confirmation. */
  readonly isConfirmed: boolean;
  /** At once. */
  readonly batch: number;
  /** For each of them; without it as long as a probe may take. */
  readonly timeoutMs: number | undefined;
}

export interface WatchArguments {
  readonly everyMs: number;
  /** Who is told what is new; none without `--tell`. */
  readonly tell: readonly string[];
  /** The server that tells them. */
  readonly host: string;
}

export type EchoArgumentsRead =
  | { readonly asks: 'help' }
  | { readonly asks: 'echo'; readonly given: EchoArguments }
  | Wrong;

interface Wrong {
  readonly asks: 'wrong';
  readonly why: string;
}

const OPTIONS = {
  name: { type: 'string' },
  ipv4: { type: 'boolean', short: '4' },
  ipv6: { type: 'boolean', short: '6' },
  raw: { type: 'boolean' },
  probe: { type: 'boolean' },
  connect: { type: 'boolean' },
  watch: { type: 'boolean' },
  every: { type: 'string' },
  tell: { type: 'string', multiple: true },
  host: { type: 'string' },
  from: { type: 'string', multiple: true },
  yes: { type: 'boolean' },
  batch: { type: 'string' },
  timeout: { type: 'string' },
  measure: { type: 'string' },
  count: { type: 'string' },
  interval: { type: 'string' },
  size: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

export function readEchoArguments(args: string[], defaultHost: string): EchoArgumentsRead {
  let parsed;
  try {
    parsed = parseOnce({ args, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    return wrong(whyUnusable(error));
  }
  const { positionals } = parsed;
  const values = { ...parsed.values, tell: joinNames(parsed.values.tell), from: joinNames(parsed.values.from) };
  if (values.help === true) return { asks: 'help' };
  if (values.measure !== undefined) return readMeasure(values.measure, Object.keys(parsed.values), positionals);
  if (positionals.length > 1) return wrong(`one host is expected, ${positionals.length} are given`);
  if (values.ipv4 === true && values.ipv6 === true) return wrong('-4 and -6 exclude each other');
  const family = values.ipv4 === true ? 4 : values.ipv6 === true ? 6 : undefined;

  const name = values.raw === true ? undefined : (values.name ?? 'Client');
  if (name !== undefined && parseEchoGreeting(Buffer.from(formatEchoGreeting(name))).kind === 'refused') {
    return wrong(`${quote(name)} is no name: expected letters and digits without spaces, 64 at most`);
  }
  const server = readTarget(positionals[0] ?? defaultHost, ECHO);
  if ('wrong' in server) return wrong(server.wrong);
  const from = readFrom(values, { target: positionals[0], defaultHost });
  if (from !== undefined && 'asks' in from) return from;
  const probe = readProbe(values, { from, defaultHost });
  if (probe !== undefined && 'asks' in probe) return probe;
  return {
    asks: 'echo',
    given: {
      host: server.host,
      port: server.port,
      isTls: server.scheme === 'tls',
      family,
      name,
      json: values.json === true,
      probe,
    },
  };
}

type ProbeValues = { [key in 'probe' | 'connect' | 'watch' | 'yes']?: boolean | undefined } & {
  [key in 'count' | 'interval' | 'size' | 'every' | 'tell' | 'host' | 'from' | 'batch' | 'timeout']?:
    | string
    | undefined;
};

/** Asked by a machine's server: a probe as JSON, and nothing else, whatever stands in the word. */
function readMeasure(word: string, given: readonly string[], targets: readonly string[]): EchoArgumentsRead {
  if (given.length > 1 || targets.length !== 1) return wrong('--measure takes WISHES and one TARGET, and nothing else');
  const options = optionsOfWishes(word);
  if (options === undefined) {
    return wrong(`--measure takes wishes such as count=10,interval=100,size=64,name=Client, not ${quote(word)}`);
  }
  const read = readEchoArguments([...options, '--probe', '--json', '--', ...targets], '');
  if (read.asks !== 'echo' || read.given.probe === undefined) return read;
  return { asks: 'echo', given: { ...read.given, probe: { ...read.given.probe, isForOthers: true } } };
}

interface Around {
  readonly target: string | undefined;
  readonly defaultHost: string;
}

function readFrom(values: ProbeValues, { target, defaultHost }: Around): FromArguments | Wrong | undefined {
  if (values.from === undefined) {
    const isStray = [values.yes, values.batch, values.timeout].some((value) => value !== undefined);
    return isStray ? wrong('--yes, --batch and --timeout need --from') : undefined;
  }
  if (values.from.replace(/[\s,]/g, '') === '') return wrong('--from names no machine');
  if (target === undefined) return wrong('--from needs a TARGET: what is probed from there');
  if (values.watch === true) return wrong('--watch watches from here, and --from asks others once');
  const batch = readNumber(values.batch ?? String(USUAL_BATCH), 1, MAX_BATCH);
  if (batch === undefined) return wrong(`--batch is a number of machines from 1 to ${MAX_BATCH}`);
  const timeoutS = values.timeout === undefined ? undefined : readNumber(values.timeout, 1, MAX_EVERY_S);
  if (values.timeout !== undefined && timeoutS === undefined) {
    return wrong(`--timeout is a number of seconds from 1 to ${MAX_EVERY_S}`);
  }
  return {
    targets: values.from,
    target,
    host: values.host ?? defaultHost,
    isConfirmed: values.yes === true,
    batch,
    timeoutMs: timeoutS === undefined ? undefined : timeoutS * 1_000,
  };
}

interface Given {
  readonly from: FromArguments | undefined;
  readonly defaultHost: string;
}

function readProbe(values: ProbeValues, { from, defaultHost }: Given): ProbeArguments | Wrong | undefined {
  const given = [values.count, values.interval, values.size];
  if (values.probe !== true && from === undefined) {
    return [...given, values.connect, values.watch].every((value) => value === undefined)
      ? readStray(values)
      : wrong('--connect, --count, --interval, --size and --watch need --probe');
  }
  const wants = values.connect === true ? 'connect' : 'echo';
  if (wants === 'connect' && given.some((value) => value !== undefined)) {
    return wrong('with --connect nothing is sent, so that --count, --interval and --size are of no use');
  }
  const count = readNumber(values.count ?? '10', 1, MAX_COUNT);
  const intervalMs = readNumber(values.interval ?? '100', 0, MAX_INTERVAL_MS);
  const sizeBytes = readNumber(values.size ?? '64', 1, MAX_SIZE_BYTES);
  if (count === undefined) return wrong(`--count is a number from 1 to ${MAX_COUNT}`);
  if (intervalMs === undefined) return wrong(`--interval is a number of milliseconds from 0 to ${MAX_INTERVAL_MS}`);
  if (sizeBytes === undefined) return wrong(`--size is a number of bytes from 1 to ${MAX_SIZE_BYTES}`);
  const watch = readWatch(values, defaultHost);
  if (watch !== undefined && 'asks' in watch) return watch;
  return { wants, count, intervalMs, sizeBytes, watch, isForOthers: false, from };
}

/** Without `--watch`, what belongs to it. */
function readStray({ every, tell, host, from }: ProbeValues): Wrong | undefined {
  const isAny = [every, tell].some((value) => value !== undefined);
  if (isAny) return wrong('--every and --tell need --watch');
  return host !== undefined && from === undefined ? wrong('--host needs --watch or --from') : undefined;
}

function readWatch(values: ProbeValues, defaultHost: string): WatchArguments | Wrong | undefined {
  if (values.watch !== true) return readStray(values);
  const everyS = readNumber(values.every ?? '60', 1, MAX_EVERY_S);
  if (everyS === undefined) return wrong(`--every is a number of seconds from 1 to ${MAX_EVERY_S}`);
  const tell = values.tell === undefined ? [] : readNames(values.tell);
  if (tell.includes('')) return wrong('--tell takes names with commas between them');
  if (values.host !== undefined && tell.length === 0) return wrong('--host is the server that tells, and needs --tell');
  const host = values.host ?? defaultHost;
  const server = tell.length === 0 ? undefined : readTarget(host, NATIVE);
  if (server !== undefined && 'wrong' in server) return wrong(server.wrong);
  return { everyMs: everyS * 1_000, tell, host };
}

function readNumber(text: string, lowest: number, highest: number): number | undefined {
  if (!/^\d{1,9}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= lowest && value <= highest ? value : undefined;
}

function wrong(why: string): Wrong {
  return { asks: 'wrong', why };
}
