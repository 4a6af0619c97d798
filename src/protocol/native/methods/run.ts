// Running a command over a native connection. docs/protocol/native.md, section 6.

import { method, NOTHING, type Method, type Notification } from '../method.ts';
import { field, isRecord } from '../rpc.ts';
import { integer, object, optional, type BadParams, type Schema, type Shape } from '../shape.ts';

/** The notification that tells how a run ended; it comes after the END of both outputs. */
export const RUN_ENDED = 'run.ended';

/** Milliseconds: setTimeout counts in 31 bits. It is 24 days. */
export const MAX_TIMEOUT_MS = 0x7fff_ffff;
/** Names of the environment that a client may send along; the server lets few of them through. */
export const MAX_ENV_NAMES = 64;
/** UTF-16 units of a directory: PATH_MAX of Linux. */
export const MAX_CWD_LENGTH = 4_096;
/** Columns, or rows: what tells a terminal its size counts in 16 bits. */
export const MAX_TERMINAL_SIZE = 65_535;

/** A line for a shell, an argument vector, or a verb of the server's policy. */
export type WireCommand =
  | { readonly shell: string }
  | { readonly argv: readonly string[] }
  | { readonly verb: string; readonly args: readonly string[] };

/** Of a terminal, in characters. */
export interface WireSize {
  readonly columns: number;
  readonly rows: number;
}

export interface RunStart {
  readonly command: WireCommand;
  /** Where; the server itself if absent. */
  readonly on?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Where the command starts, from where commands start by themselves; there if absent. */
  readonly cwd?: string;
  /** It runs in a terminal of this size: input is typed there, and all output comes on stdout. */
  readonly terminal?: WireSize;
  readonly timeoutMs?: number;
  /** To a machine: the hash that the server's chain of records ends with. */
  readonly recordsHead?: string;
  /** A number of the client's own: starts with the same one, on one connection, are one run on several hosts. */
  readonly together?: number;
  /** Of a request that somebody else has approved. */
  readonly approval?: number;
  /** Streams that the asking end chose: stdin towards the command, the others from it. */
  readonly stdin: number;
  readonly stdout: number;
  readonly stderr: number;
}

/** `denied`: the machine's own policy does not allow it, and nothing was started. */
export const RESULTS = ['exited', 'signalled', 'timeout', 'cancelled', 'denied', 'lost'] as const;

export interface RunEnded {
  readonly run: number;
  readonly result: (typeof RESULTS)[number];
  /** What a shell would report; null if it did not run, or nobody knows. */
  readonly status: number | null;
  readonly signal?: number;
  readonly reason?: string;
  /** With `lost`: what ended is the watching, and the run may go on. */
  readonly cut?: true;
}

export function parseRunCancel(params: unknown): { run: number } | BadParams {
  const run = isRecord(params) ? field(params, 'run') : undefined;
  return isCount(run) ? { run } : { bad: 'run is not a number that run.start gave' };
}

export function parseRunStart(params: unknown): RunStart | BadParams {
  if (!isRecord(params)) return { bad: 'params is not an object' };
  const command = parseCommand(field(params, 'command'));
  if ('bad' in command) return command;
  const [stdin, stdout, stderr] = [field(params, 'stdin'), field(params, 'stdout'), field(params, 'stderr')];
  if (!isCount(stdin) || !isCount(stdout) || !isCount(stderr)) return { bad: 'a stream is not a positive integer' };
  const on = field(params, 'on');
  if (on !== undefined && typeof on !== 'string') return { bad: 'on is not a string' };
  // An empty variable in a script must not turn into the server itself.
  if (on?.replace(/[\s,]/g, '') === '') return { bad: 'on names no host; without it the server itself is meant' };
  const timeoutMs = field(params, 'timeoutMs');
  if (timeoutMs !== undefined && !(isCount(timeoutMs) && timeoutMs <= MAX_TIMEOUT_MS)) {
    return { bad: `timeoutMs is not an integer from 1 to ${MAX_TIMEOUT_MS}` };
  }
  const together = field(params, 'together');
  if (together !== undefined && !isCount(together)) return { bad: 'together is not a positive integer' };
  const recordsHead = field(params, 'recordsHead');
  if (recordsHead !== undefined && !isHash(recordsHead)) return { bad: 'recordsHead is not 64 hexadecimal digits' };
  const approval = field(params, 'approval');
  if (approval !== undefined && !isCount(approval)) return { bad: 'approval is not a number that run.ask gave' };
  const env = parseEnvironment(field(params, 'env'));
  if (env === undefined) return { bad: `env is not an object of at most ${MAX_ENV_NAMES} strings` };
  const given = field(params, 'terminal');
  const terminal = given === undefined ? undefined : size.read(given);
  if (given !== undefined && terminal === undefined) {
    return { bad: `terminal has not columns and rows, each from 1 to ${MAX_TERMINAL_SIZE}` };
  }
  const cwd = field(params, 'cwd');
  if (cwd !== undefined && directory.read(cwd) === undefined) return { bad: `cwd is not ${directory.what}` };
  return {
    command,
    env,
    stdin,
    stdout,
    stderr,
    ...(on === undefined ? {} : { on }),
    ...(typeof cwd === 'string' ? { cwd } : {}),
    ...(terminal === undefined ? {} : { terminal }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(together === undefined ? {} : { together }),
    ...(recordsHead === undefined ? {} : { recordsHead }),
    ...(approval === undefined ? {} : { approval }),
  };
}

function parseCommand(value: unknown): WireCommand | BadParams {
  if (!isRecord(value)) return { bad: 'command is neither {"shell": …} nor {"argv": […]} nor {"verb": …}' };
  const [shell, argv, verb] = [field(value, 'shell'), field(value, 'argv'), field(value, 'verb')];
  if ([shell, argv, verb].filter((one) => one !== undefined).length !== 1) {
    return { bad: 'command has not exactly one of shell, argv and verb' };
  }
  if (verb !== undefined) return parseVerb(verb, field(value, 'args'));
  if (argv === undefined) return isWord(shell) ? { shell } : { bad: 'shell is not a string without NUL' };
  if (!Array.isArray(argv) || argv.length === 0) return { bad: 'argv is not an array with a program in it' };
  const words: readonly unknown[] = argv;
  return words.every(isWord) ? { argv: words } : { bad: 'argv holds something that is not a string without NUL' };
}

function parseVerb(verb: unknown, given: unknown): WireCommand | BadParams {
  const args: readonly unknown[] | undefined = given === undefined ? [] : Array.isArray(given) ? given : undefined;
  if (!isWord(verb) || verb === '') return { bad: 'verb is not a name' };
  return args?.every(isWord) === true ? { verb, args } : { bad: 'args is not an array of strings without NUL' };
}

function parseEnvironment(value: unknown): Record<string, string> | undefined {
  if (value === undefined) return {};
  if (!isRecord(value)) return undefined;
  const entries = Object.entries(value);
  if (entries.length > MAX_ENV_NAMES) return undefined;
  const env: Record<string, string> = {};
  for (const [name, text] of entries) {
    if (!isWord(text)) return undefined;
    if (name !== '__proto__') env[name] = text;
  }
  return env;
}

export interface RunStartedAnswer {
  /** For run.cancel and run.ended, on this connection. */
  readonly run: number;
  /** Under which the run is on record; a machine keeps none. */
  readonly record?: number;
}

export function parseRunStarted(result: unknown): RunStartedAnswer | undefined {
  if (!isRecord(result)) return undefined;
  const [run, record] = [field(result, 'run'), field(result, 'record')];
  return isCount(run) ? { run, ...(isCount(record) ? { record } : {}) } : undefined;
}

export function parseRunEnded(params: unknown): RunEnded | undefined {
  if (!isRecord(params)) return undefined;
  const result = RESULTS.find((known) => known === field(params, 'result'));
  const [run, status] = [field(params, 'run'), field(params, 'status')];
  const [signal, reason] = [field(params, 'signal'), field(params, 'reason')];
  if (!isCount(run) || result === undefined) return undefined;
  if (status !== null && !(Number.isInteger(status) && typeof status === 'number' && status >= 0 && status <= 255)) {
    return undefined;
  }
  return {
    run,
    result,
    status,
    ...(isCount(signal) ? { signal } : {}),
    ...(typeof reason === 'string' ? { reason } : {}),
    ...(field(params, 'cut') === true ? { cut: true } : {}),
  };
}

/** What execve takes: no C string holds a NUL. */
function isWord(value: unknown): value is string {
  return typeof value === 'string' && !value.includes('\0');
}

const HASH = /^[0-9a-f]{64}$/;

function isHash(value: unknown): value is string {
  return typeof value === 'string' && HASH.test(value);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 && value <= 0xffff_ffff;
}

const run = object({ run: integer(1, 0xffff_ffff) });
const sides = { columns: integer(1, MAX_TERMINAL_SIZE), rows: integer(1, MAX_TERMINAL_SIZE) };
const size: Shape<WireSize> = object(sides);
const stream: Schema = { type: 'integer', minimum: 1, maximum: 0xffff_ffff };
const word: Schema = { type: 'string', pattern: '^[^\\u0000]*$' };

export const directory: Shape<string> = {
  what: `a directory: a text of 1 to ${MAX_CWD_LENGTH} characters without NUL`,
  schema: { ...word, minLength: 1, maxLength: MAX_CWD_LENGTH },
  read: (value) => (isWord(value) && value !== '' && value.length <= MAX_CWD_LENGTH ? value : undefined),
};

const words: Schema = { type: 'array', items: word };
export const command: Shape<WireCommand> = {
  what: 'a command',
  schema: {
    oneOf: [
      { type: 'object', properties: { shell: word }, required: ['shell'] },
      { type: 'object', properties: { argv: { ...words, minItems: 1 } }, required: ['argv'] },
      { type: 'object', properties: { verb: word, args: words }, required: ['verb'] },
    ],
  },
  read: (value) => {
    const read = parseCommand(value);
    return 'bad' in read ? undefined : read;
  },
};

export const runStart: Method<RunStart, RunStartedAnswer> = {
  name: 'run.start',
  params: {
    type: 'object',
    properties: {
      command: command.schema,
      on: { type: 'string', description: 'Names, separated by commas or spaces; without it the server itself' },
      env: { type: 'object', additionalProperties: word, maxProperties: MAX_ENV_NAMES },
      cwd: directory.schema,
      terminal: size.schema,
      timeoutMs: { type: 'integer', minimum: 1, maximum: MAX_TIMEOUT_MS },
      together: { ...stream, description: 'Starts with the same number, on one connection, are one run' },
      recordsHead: { type: 'string', pattern: HASH.source, description: 'What a machine is to keep' },
      approval: { ...stream, description: 'What run.ask gave, once somebody has approved it' },
      stdin: stream,
      stdout: stream,
      stderr: stream,
    },
    required: ['command', 'stdin', 'stdout', 'stderr'],
  },
  result: object({ run: integer(1, 0xffff_ffff), record: optional(integer(1)) }).schema,
  parseParams: parseRunStart,
  parseResult: parseRunStarted,
};

export const runCancel = method('run.cancel', { params: run, result: NOTHING });

/** Of a command's terminal: as large as that of whoever looks at it. */
export const runResize = method('run.resize', {
  params: object({ run: integer(1, 0xffff_ffff), ...sides }),
  result: NOTHING,
});

export const runEnded: Notification<RunEnded> = {
  name: RUN_ENDED,
  params: {
    type: 'object',
    properties: {
      run: stream,
      result: { type: 'string', enum: RESULTS },
      status: { type: ['integer', 'null'], minimum: 0, maximum: 255 },
      signal: stream,
      reason: { type: 'string' },
      cut: { type: 'boolean' },
    },
    required: ['run', 'result', 'status'],
  },
  parse: parseRunEnded,
};
