// What may be asked over a native connection, and how each question is read: field by field, everything that is not
// named here ignored. docs/protocol/native.md describes each method.

import { field, isRecord } from './rpc.ts';

export const METHODS = {
  ping: 'ping',
  ownerChallenge: 'owner.challenge',
  ownerProve: 'owner.prove',
  runStart: 'run.start',
  runCancel: 'run.cancel',
} as const;

/** The notification that tells how a run ended; it comes after the END of both outputs. */
export const RUN_ENDED = 'run.ended';

/** Codes in `error.data.code`. A code that was retired is never used again. */
export type ErrorCode =
  | 'not-allowed'
  | 'not-loopback'
  | 'no-challenge'
  | 'wrong-proof'
  | 'unknown-host'
  | 'unknown-run'
  | 'unknown-method'
  | 'bad-params'
  | 'stream-number'
  | 'too-many-streams'
  | 'too-many-requests'
  | 'closing';

/** What a nonce and a proof look like: both are 32 bytes in base64url. */
const THIRTY_TWO_BYTES = /^[A-Za-z0-9_-]{43}$/;

/** Milliseconds: setTimeout counts in 31 bits. It is 24 days. */
export const MAX_TIMEOUT_MS = 0x7fff_ffff;
/** Names of the environment that a client may send along; the server lets few of them through. */
export const MAX_ENV_NAMES = 64;

/** What was asked is not what the method takes; the text says which field. */
export interface BadParams {
  readonly bad: string;
}

export interface RunStart {
  readonly command: { readonly shell: string } | { readonly argv: readonly string[] };
  /** Where; the server itself if absent. */
  readonly on?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /** Streams that the asking end chose: stdin towards the command, the others from it. */
  readonly stdin: number;
  readonly stdout: number;
  readonly stderr: number;
}

export const RESULTS = ['exited', 'signalled', 'timeout', 'cancelled', 'lost'] as const;

export interface RunEnded {
  readonly run: number;
  readonly result: (typeof RESULTS)[number];
  /** What a shell would report; null if nobody knows. */
  readonly status: number | null;
  readonly signal?: number;
  readonly reason?: string;
}

export function parseNonce(params: unknown): { nonce: string } | BadParams {
  const nonce = isRecord(params) ? field(params, 'nonce') : undefined;
  return isThirtyTwoBytes(nonce) ? { nonce } : { bad: 'nonce is not 32 bytes in base64url' };
}

export function parseProof(params: unknown): { proof: string } | BadParams {
  const proof = isRecord(params) ? field(params, 'proof') : undefined;
  return isThirtyTwoBytes(proof) ? { proof } : { bad: 'proof is not 32 bytes in base64url' };
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
  const env = parseEnvironment(field(params, 'env'));
  if (env === undefined) return { bad: `env is not an object of at most ${MAX_ENV_NAMES} strings` };
  return {
    command,
    env,
    stdin,
    stdout,
    stderr,
    ...(on === undefined ? {} : { on }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}

function parseCommand(value: unknown): RunStart['command'] | BadParams {
  if (!isRecord(value)) return { bad: 'command is neither {"shell": …} nor {"argv": […]}' };
  const shell = field(value, 'shell');
  const argv = field(value, 'argv');
  if ((shell === undefined) === (argv === undefined)) return { bad: 'command has not exactly one of shell and argv' };
  if (argv === undefined) return isWord(shell) ? { shell } : { bad: 'shell is not a string without NUL' };
  if (!Array.isArray(argv) || argv.length === 0) return { bad: 'argv is not an array with a program in it' };
  const words: readonly unknown[] = argv;
  return words.every(isWord) ? { argv: words } : { bad: 'argv holds something that is not a string without NUL' };
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

export function parseRunStarted(result: unknown): { run: number } | undefined {
  const run = isRecord(result) ? field(result, 'run') : undefined;
  return isCount(run) ? { run } : undefined;
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
  };
}

function isThirtyTwoBytes(value: unknown): value is string {
  return typeof value === 'string' && THIRTY_TWO_BYTES.test(value);
}

/** What execve takes: no C string holds a NUL. */
function isWord(value: unknown): value is string {
  return typeof value === 'string' && !value.includes('\0');
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 && value <= 0xffff_ffff;
}
