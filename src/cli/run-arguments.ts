// The command line of `partyline run`, read once: where, how, and what.

import { parseArgs } from 'node:util';
import { refusalOfLength, type RunWishes } from '../client/run.ts';
import { MAX_TIMEOUT_MS } from '../protocol/native/methods/run.ts';
import { quote } from '../protocol/text.ts';
import { whyUnusable } from './arguments.ts';

export interface RunArguments {
  readonly host: string;
  readonly isJson: boolean;
  readonly wishes: RunWishes;
}

/** A text says why they cannot be understood. */
export function readRunArguments(args: string[]): RunArguments | string {
  const dashes = args.indexOf('--');
  if (dashes < 0) return 'a -- is missing before the command; see partyline run --help';
  const words = args.slice(dashes + 1);
  const [only] = words;
  if (only === undefined) return 'a command is missing after --; see partyline run --help';
  let parsed;
  try {
    parsed = parseArgs({
      args: args.slice(0, dashes),
      allowPositionals: true,
      options: { on: { type: 'string' }, timeout: { type: 'string' }, json: { type: 'boolean', default: false } },
    });
  } catch (error) {
    return whyUnusable(error);
  }
  const { values, positionals } = parsed;
  if (positionals.length > 1) return `one HOST before --, not ${positionals.length}`;
  if (values.on !== undefined && values.on.replace(/[\s,]/g, '') === '') {
    return '--on names no host; without it the command runs on the server itself';
  }
  const timeoutMs = values.timeout === undefined ? undefined : parseSeconds(values.timeout);
  if (timeoutMs === null)
    return `--timeout takes seconds, up to ${MAX_TIMEOUT_MS / 1_000}, not ${quote(values.timeout ?? '')}`;
  const command = words.length === 1 ? { shell: only } : { argv: words };
  const tooLong = refusalOfLength(command);
  if (tooLong !== undefined) return tooLong;
  return {
    host: positionals[0] ?? (process.env['PARTYLINE_HOST'] || 'localhost'),
    isJson: values.json,
    wishes: {
      command,
      ...(values.on === undefined ? {} : { on: values.on }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    },
  };
}

function parseSeconds(text: string): number | null {
  const milliseconds = /^(?:\d+\.?\d*|\.\d+)$/.test(text) ? Math.ceil(Number(text) * 1_000) : 0;
  return milliseconds >= 1 && milliseconds <= MAX_TIMEOUT_MS ? milliseconds : null;
}
