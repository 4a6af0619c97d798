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
}

export type EchoArgumentsRead =
  | { readonly asks: 'help' }
  | { readonly asks: 'echo'; readonly given: EchoArguments }
  | { readonly asks: 'wrong'; readonly why: string };

const OPTIONS = {
  name: { type: 'string' },
  ipv4: { type: 'boolean', short: '4' },
  ipv6: { type: 'boolean', short: '6' },
  raw: { type: 'boolean' },
  probe: { type: 'boolean' },
  connect: { type: 'boolean' },
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

type ProbeValues = { [key in 'probe' | 'connect']?: boolean | undefined } & {
  [key in 'count' | 'interval' | 'size']?: string | undefined;
};

function readProbe(values: ProbeValues): ProbeArguments | EchoArgumentsRead | undefined {
  const given = [values.count, values.interval, values.size];
  if (values.probe !== true) {
    return [...given, values.connect].every((value) => value === undefined)
      ? undefined
      : wrong('--connect, --count, --interval and --size need --probe');
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
  return { wants, count, intervalMs, sizeBytes };
}

function readNumber(text: string, lowest: number, highest: number): number | undefined {
  if (!/^\d{1,9}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= lowest && value <= highest ? value : undefined;
}

function wrong(why: string): EchoArgumentsRead {
  return { asks: 'wrong', why };
}
