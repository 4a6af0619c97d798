// The command line of `partyline echo`, read once: what it asks for, or why it cannot be understood.

import { parseArgs } from 'node:util';
import { ECHO, readTarget } from '../../client/reach.ts';
import type { AddressFamily } from '../../net/race.ts';
import { formatEchoGreeting, parseEchoGreeting } from '../../protocol/echo/exchange.ts';
import { quote } from '../../protocol/text.ts';
import { whyUnusable } from '../kit/arguments.ts';

/** As many as can be kept to find percentiles among: 800 KB of numbers a family. */
const MAX_COUNT = 100_000;
const MAX_INTERVAL_MS = 60_000;
/** Well over any buffer on the way, so that large packets are really under way. */
const MAX_SIZE_BYTES = 1_048_576;
/** Seconds: a probe itself takes one or two, and once a day is what is still watching. */
const MAX_EVERY_S = 86_400;

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
}

export interface WatchArguments {
  readonly everyMs: number;
  /** Who is told what is new; none without `--tell`. */
  readonly tell: readonly string[];
  /** The server that tells them. */
  readonly host: string | undefined;
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
  tell: { type: 'string' },
  host: { type: 'string' },
  count: { type: 'string' },
  interval: { type: 'string' },
  size: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

export function readEchoArguments(args: string[], defaultHost: string): EchoArgumentsRead {
  let parsed;
  try {
    parsed = parseArgs({ args, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    return wrong(whyUnusable(error));
  }
  const { values, positionals } = parsed;
  if (values.help === true) return { asks: 'help' };
  if (positionals.length > 1) return wrong(`one host is expected, ${positionals.length} are given`);
  if (values.ipv4 === true && values.ipv6 === true) return wrong('-4 and -6 exclude each other');
  const family = values.ipv4 === true ? 4 : values.ipv6 === true ? 6 : undefined;

  const name = values.raw === true ? undefined : (values.name ?? 'Client');
  if (name !== undefined && parseEchoGreeting(Buffer.from(formatEchoGreeting(name))).kind === 'refused') {
    return wrong(`${quote(name)} is no name: expected letters and digits without spaces, 64 at most`);
  }
  const server = readTarget(positionals[0] ?? defaultHost, ECHO);
  if ('wrong' in server) return wrong(server.wrong);
  const probe = readProbe(values);
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

type ProbeValues = { [key in 'probe' | 'connect' | 'watch']?: boolean | undefined } & {
  [key in 'count' | 'interval' | 'size' | 'every' | 'tell' | 'host']?: string | undefined;
};

function readProbe(values: ProbeValues): ProbeArguments | Wrong | undefined {
  const given = [values.count, values.interval, values.size];
  if (values.probe !== true) {
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
  const watch = readWatch(values);
  return watch !== undefined && 'asks' in watch ? watch : { wants, count, intervalMs, sizeBytes, watch };
}

/** Without `--watch`, what belongs to it. */
function readStray({ every, tell, host }: ProbeValues): Wrong | undefined {
  const isAny = [every, tell, host].some((value) => value !== undefined);
  return isAny ? wrong('--every, --tell and --host need --watch') : undefined;
}

function readWatch(values: ProbeValues): WatchArguments | Wrong | undefined {
  if (values.watch !== true) return readStray(values);
  const everyS = readNumber(values.every ?? '60', 1, MAX_EVERY_S);
  if (everyS === undefined) return wrong(`--every is a number of seconds from 1 to ${MAX_EVERY_S}`);
  const tell = values.tell?.split(',').map((name) => name.trim()) ?? [];
  if (tell.includes('')) return wrong('--tell takes names with commas between them');
  if (values.host !== undefined && tell.length === 0) return wrong('--host is the server that tells, and needs --tell');
  return { everyMs: everyS * 1_000, tell, host: values.host };
}

function readNumber(text: string, lowest: number, highest: number): number | undefined {
  if (!/^\d{1,9}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= lowest && value <= highest ? value : undefined;
}

function wrong(why: string): Wrong {
  return { asks: 'wrong', why };
}
