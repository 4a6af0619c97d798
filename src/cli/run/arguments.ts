// The command line of `partyline run`, read once: where, how, and what.

import type { RunWishes } from '../../client/run.ts';
import { MAX_ENV_NAMES, MAX_TIMEOUT_MS, type WireCommand } from '../../protocol/native/methods/run.ts';
import { quote } from '../../protocol/text.ts';
import { joinNames, parseOnce, whyUnusable } from '../kit/arguments.ts';
import { shellWord } from '../kit/shell-word.ts';
import { refusalOfLength, sentEnvironment } from './sent.ts';

/** Machines at once, unless fewer are wanted: each takes three streams of the connection. */
const MAX_AT_ONCE = 1_000;

export interface RunArguments {
  readonly host: string;
  readonly isJson: boolean;
  readonly wishes: RunWishes;
  /** In one: what it is to run, and what is typed here. */
  readonly hasTerminal: boolean;
  /** Standard input is left alone, and the command's is empty. */
  readonly hasNoInput: boolean;
  readonly wide: WideWishes;
  /** It is to go on without us: at once, or when it has been watched for so long. */
  readonly away: Away | undefined;
  /** Of a command that comes back to the server: how it was named, if it was. */
  readonly hint: string;
}

export interface Away {
  /** Undefined: it is not watched. */
  readonly watchMs: number | undefined;
}

/** What counts where the targets are not one name. */
export interface WideWishes {
  /** Not asked for confirmation. */
  readonly isConfirmed: boolean;
  /** The machines are shown, and nothing starts. */
  readonly isDryRun: boolean;
  readonly isFolding: boolean;
  readonly hasInput: boolean;
  /** At once. */
  readonly batch: number;
  /** Failures. */
  readonly stopAfter: number;
  /** A directory for a file for each machine and stream. */
  readonly out: string | undefined;
}

/** No command is given: each line that is typed is one, and goes with these arguments. */
export interface PromptArguments {
  readonly prompt: readonly string[];
  readonly host: string;
  /** HOST was typed: it may have been meant as a command, or as a machine. */
  readonly isHostGiven: boolean;
  readonly on: string | undefined;
}

function isInteractive(): boolean {
  return process.stdin.isTTY && process.stdout.isTTY;
}

/** A text says why they cannot be understood. */
export function readRunArguments(args: string[]): RunArguments | PromptArguments | string {
  const found = args.indexOf('--');
  const dashes = found < 0 ? args.length : found;
  const words = args.slice(dashes + 1);
  let parsed;
  try {
    parsed = parseOnce({
      args: args.slice(0, dashes),
      allowPositionals: true,
      tokens: true,
      options: {
        host: { type: 'string' },
        on: { type: 'string', multiple: true },
        cwd: { type: 'string' },
        env: { type: 'string', multiple: true, default: [] },
        tty: { type: 'boolean', short: 't', multiple: true, default: [] },
        timeout: { type: 'string' },
        detach: { type: 'boolean', default: false },
        wait: { type: 'string' },
        yes: { type: 'boolean', default: false },
        'dry-run': { type: 'boolean', default: false },
        'no-fold': { type: 'boolean', default: false },
        stdin: { type: 'boolean', default: false },
        'no-stdin': { type: 'boolean', short: 'n', default: false },
        batch: { type: 'string' },
        'stop-after': { type: 'string' },
        out: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    return whyUnusable(error);
  }
  const { values, positionals, tokens } = parsed;
  const on = joinNames(values.on);
  const hasTerminal = values.tty.length > 0;
  // Whoever sits at a terminal and says nothing gets a prompt.
  const isPrompt = found < 0 && !hasTerminal && !values.json && isInteractive();
  if (words.length === 0 && !hasTerminal && !isPrompt) {
    return `${whyNoCommand({ hasDashes: found >= 0, given: positionals, on, isJson: values.json })}; see partyline run --help`;
  }
  if (positionals.length > 1) {
    const hint = found < 0 ? hintOfWords(positionals, on) : hintOfMachines(positionals, on);
    return `one HOST before --, not ${positionals.length}${hint}`;
  }
  const { host: named } = values;
  if (named !== undefined && positionals.length > 0) {
    return `the server is given twice, as ${quote(positionals[0] ?? '')} and by --host; a command comes after --`;
  }
  const givenHost = positionals[0] ?? named;
  if (on === '') {
    return '--on names no host; without it the command runs on the server itself';
  }
  const timeoutMs = values.timeout === undefined ? undefined : parseSeconds(values.timeout);
  if (timeoutMs === null)
    return `--timeout takes seconds, up to ${MAX_TIMEOUT_MS / 1_000}, not ${quote(values.timeout ?? '')}`;
  if (values.cwd === '') return '--cwd names no directory';
  const env = environmentIn(values.env);
  if (typeof env === 'string') return env;
  const watchMs = values.wait === undefined ? undefined : parseSeconds(values.wait);
  if (watchMs === null) {
    return `--wait takes seconds, up to ${MAX_TIMEOUT_MS / 1_000}, not ${quote(values.wait ?? '')}`;
  }
  if (values.detach && watchMs !== undefined)
    return '--detach leaves the run at once, --wait after a while: one of them';
  const away = values.detach || watchMs !== undefined ? { watchMs } : undefined;
  if (away !== undefined && hasTerminal) {
    return '-t shows a terminal here, and --detach and --wait leave what they start: a run is one or the other';
  }
  if (away !== undefined && isPrompt) return '--detach and --wait go with a command after --';
  if (away !== undefined && (values.batch ?? values['stop-after'] ?? values.out) !== undefined) {
    return '--batch, --stop-after and --out do not go with --detach and --wait: all machines begin at once';
  }
  const batch = values.batch === undefined ? MAX_AT_ONCE : parseCount(values.batch);
  if (batch === null) return `--batch takes how many machines at once, not ${quote(values.batch ?? '')}`;
  const stopAfter = values['stop-after'] === undefined ? Number.POSITIVE_INFINITY : parseCount(values['stop-after']);
  if (stopAfter === null) return `--stop-after takes a number of failures, not ${quote(values['stop-after'] ?? '')}`;
  if (values.out === '') return '--out names no directory';
  const isStdinMisplaced = values.stdin && away === undefined;
  if (on === undefined && (values['dry-run'] || isStdinMisplaced || values.out !== undefined)) {
    return '--dry-run, --stdin and --out go with --on TARGETS';
  }
  if (values['no-stdin'] && (values.stdin || hasTerminal)) {
    return `-n passes no input on, and ${values.stdin ? '--stdin' : '-t'} does: one of them`;
  }
  const ttyFault = faultOfTerminal(values.tty.length, { on, isJson: values.json, wide: values });
  if (ttyFault !== undefined) return ttyFault;
  const host = givenHost ?? (process.env['PARTYLINE_HOST'] || 'localhost');
  if (isPrompt) return { prompt: withoutOn(args, tokens), host, isHostGiven: givenHost !== undefined, on };
  const command = commandOf(words, values.cwd);
  const tooLong = refusalOfLength(command);
  if (tooLong !== undefined) return tooLong;
  return {
    host,
    isJson: values.json,
    hasTerminal,
    hasNoInput: values['no-stdin'],
    away,
    hint: givenHost === undefined ? '' : ` --host ${shellWord(givenHost)}`,
    wishes: {
      command,
      ...(on === undefined ? {} : { on }),
      ...(values.cwd === undefined ? {} : { cwd: values.cwd }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      // What a server may want of ours by itself, and what is asked for.
      env: { ...sentEnvironment(process.env), ...env },
    },
    wide: {
      isConfirmed: values.yes,
      isDryRun: values['dry-run'],
      isFolding: !values['no-fold'],
      hasInput: values.stdin,
      batch: Math.min(batch, MAX_AT_ONCE),
      stopAfter,
      out: values.out,
    },
  };
}

/** Where a line of the prompt runs is said for each anew: with these it would run there as well. */
function withoutOn(args: readonly string[], tokens: readonly Token[]): string[] {
  const places = tokens.filter(({ kind, name }) => kind === 'option' && name === 'on');
  const left = new Set(
    places.flatMap(({ index, inlineValue }) => (inlineValue === true ? [index] : [index, index + 1])),
  );
  return args.filter((_, index) => !left.has(index));
}

interface Token {
  readonly kind: string;
  readonly index: number;
  readonly name?: string;
  readonly inlineValue?: boolean | undefined;
}

interface WithoutCommand {
  readonly hasDashes: boolean;
  readonly given: readonly string[];
  readonly on: string | undefined;
  readonly isJson: boolean;
}

function whyNoCommand({ hasDashes, given, on, isJson }: WithoutCommand): string {
  if (hasDashes) return 'a command is missing after --';
  const hint = hintOfWords(given, on);
  // Two words are more than a HOST.
  if (given.length > 1) return `a -- is missing before the command${hint}`;
  return `no command, and ${isJson ? '--json has no prompt' : 'no terminal for a prompt'}${hint}`;
}

/** Without -- a word is a HOST, and most who leave it out mean a command or a machine. */
export function hintOfWords(words: readonly string[], on: string | undefined): string {
  const [first = '', ...rest] = words;
  const written = (some: readonly string[]) => some.map(shellWord).join(' ');
  if (IS_SERVER.test(first)) return rest.length === 0 ? '' : `; for a command: ${first} -- ${written(rest)}`;
  if (first === '') return '';
  const machine = rest.length === 0 ? first : `${first} -- ${written(rest)}`;
  const isMachine = on === undefined && isOneName(first);
  return `; for a command: -- ${written(words)}${isMachine ? `; for a machine that has joined: --on ${machine}` : ''}`;
}

function hintOfMachines(names: readonly string[], on: string | undefined): string {
  const areMachines = on === undefined && names.every(isOneName);
  return areMachines ? `; for machines that have joined: --on ${names.join(',')}` : '';
}

/** It can be nothing else. */
const IS_SERVER = /^(?:localhost|[\d.]+|\S*:\S*)$/;

/** `NAME=VALUE`, or `NAME` for what it is set to here. */
function environmentIn(given: readonly string[]): Readonly<Record<string, string>> | string {
  const env = new Map<string, string>();
  for (const one of given) {
    const [, name = '', value] = /^([^=]+)(?:=(.*))?$/s.exec(one) ?? [];
    if (name === '') return `--env takes NAME=VALUE or NAME, not ${quote(one)}`;
    const own = value ?? process.env[name];
    if (own === undefined) return `--env ${quote(name).slice(1, -1)}: it is not set here; nothing was started`;
    env.set(name, own);
  }
  if (env.size > MAX_ENV_NAMES / 2) return `--env has ${env.size} names, ${MAX_ENV_NAMES / 2} are the most`;
  return Object.fromEntries(env);
}

/** A name and nothing else: the server need not be asked what it means. */
export function isOneName(targets: string): boolean {
  const name = targets.trim();
  return /^[^\s,[\]*?!#=]+$/.test(name) && name.toLowerCase() !== 'all';
}

/** `@restart nginx` is a verb; a program of such a name is called by its path. */
function commandOf(words: readonly string[], cwd: string | undefined): WireCommand {
  const [first] = words;
  // As at a login, which begins at home.
  if (first === undefined) return { shell: `${cwd === undefined ? 'cd; ' : ''}${LOGIN_SHELL}` };
  const [, verb] = VERB.exec(first) ?? [];
  if (verb !== undefined) return { verb, args: words.slice(1) };
  return words.length === 1 ? { shell: first } : { argv: words };
}

/** Of the user there; a shell of another kind takes the same option. */
const LOGIN_SHELL = 'exec "${SHELL:-/bin/sh}" -l';

interface AroundTerminal {
  readonly on: string | undefined;
  readonly isJson: boolean;
  readonly wide: { readonly stdin: boolean; readonly out?: string; readonly 'dry-run': boolean };
}

/** `-t` is for somebody who sits at a terminal; `-tt` says that nobody need sit there. */
function faultOfTerminal(count: number, { on, isJson, wide }: AroundTerminal): string | undefined {
  if (count === 0) return undefined;
  if (on !== undefined && !isOneName(on)) return `-t is for one machine, and ${quote(on)} may be several`;
  if (isJson || wide.stdin || wide['dry-run'] || wide.out !== undefined) {
    return '-t shows what the terminal there shows: --json, --stdin, --out and --dry-run do not go with it';
  }
  if (count === 1 && !process.stdin.isTTY) {
    return '-t passes on what is typed, and standard input is no terminal; -tt takes one there all the same';
  }
  return undefined;
}

const VERB = /^@([A-Za-z][A-Za-z0-9_-]*)$/;

function parseCount(text: string): number | null {
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : null;
}

function parseSeconds(text: string): number | null {
  const milliseconds = /^(?:\d+\.?\d*|\.\d+)$/.test(text) ? Math.ceil(Number(text) * 1_000) : 0;
  return milliseconds >= 1 && milliseconds <= MAX_TIMEOUT_MS ? milliseconds : null;
}
