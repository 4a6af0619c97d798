// What a program wants run, where and how; and how that is said to a server.

import type { WireCommand, WireSize } from '../protocol/native/methods/run.ts';
import type { RunWishes } from './run.ts';

/** A line for `/bin/sh -c`, a program and its arguments that no shell sees, or a verb of the server's policy. */
export type What =
  | { readonly command: string; readonly argv?: undefined; readonly verb?: undefined }
  | { readonly argv: readonly string[]; readonly command?: undefined; readonly verb?: undefined }
  | {
      readonly verb: string;
      readonly args?: readonly string[];
      readonly command?: undefined;
      readonly argv?: undefined;
    };

export interface Where {
  /** The name of a machine that has joined; without it the server itself. */
  readonly on?: string;
  /** Seen from where commands start by themselves. */
  readonly cwd?: string;
  /** Nothing of this program's own environment is passed on. */
  readonly env?: Readonly<Record<string, string>>;
  /** After so long the command is ended. */
  readonly timeoutMs?: number;
}

export type DetachOptions = What & Where & { readonly takesInput?: boolean };

export interface Inviting {
  /** `member` without it. */
  readonly role?: 'member' | 'operator';
  /** `person` without it. */
  readonly kind?: 'person' | 'bot' | 'host';
}

/** Throws a `TypeError` where what is to run is said twice, or not at all. */
export function wishesOf(options: What & Where & { readonly terminal?: WireSize }): RunWishes {
  const { on, cwd, env = {}, timeoutMs, terminal } = options;
  return {
    command: commandOf(options),
    env,
    ...(on === undefined ? {} : { on }),
    ...(cwd === undefined ? {} : { cwd }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(terminal === undefined ? {} : { terminal }),
  };
}

export function commandOf(what: What): WireCommand {
  const { command, argv, verb } = what;
  const given = [command, argv, verb].filter((one) => one !== undefined);
  if (given.length !== 1) throw new TypeError('One of command, argv and verb says what is to run');
  if (command !== undefined) return { shell: command };
  if (argv !== undefined) return { argv };
  return { verb: what.verb, args: what.args ?? [] };
}
