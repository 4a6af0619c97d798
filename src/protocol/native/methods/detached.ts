// Runs that go on without the client that started them: what a client asks of a server, and a server of the machine that
// runs them. docs/protocol/native.md, section 6.

import { method, type Method } from '../method.ts';
import { isRecord } from '../rpc.ts';
import {
  integer,
  listOf,
  mapOf,
  object,
  oneOf,
  optional,
  orNull,
  text,
  truth,
  type BadParams,
  type Shape,
} from '../shape.ts';
import { command, directory, MAX_TIMEOUT_MS, parseRunStart, RESULTS, runStart, type RunStart } from './run.ts';

const record = integer(1);
const count = integer(0);
const stream = integer(1, 0xffff_ffff);

/** Bytes of both outputs before what is wanted, or what comes from now on. */
const from: Shape<number | 'end'> = {
  what: 'a number of bytes, or "end"',
  schema: {
    oneOf: [
      { type: 'integer', minimum: 0 },
      { type: 'string', enum: ['end'] },
    ],
  },
  read: (value) => (value === 'end' ? value : count.read(value)),
};

// ── of a server ──

export interface RunDetach extends Omit<RunStart, 'stdin' | 'stdout' | 'stderr' | 'recordsHead' | 'terminal'> {
  /** Its input stays open for whoever attaches with some. */
  readonly takesInput?: boolean;
}

type Failed = NonNullable<ReturnType<typeof failed.read>>;

export interface Detached {
  readonly record: number;
  readonly host: string;
  readonly failed?: Failed;
}

/** `run.start` is read by the same rules; a detached one has no streams. */
const NO_STREAMS = { stdin: 1, stdout: 1, stderr: 1 };

function parseRunDetach(params: unknown): RunDetach | BadParams {
  const given = params ?? {};
  const found = parseRunStart(isRecord(given) ? { ...given, ...NO_STREAMS } : given);
  if ('bad' in found) return found;
  if (found.terminal !== undefined) return { bad: 'a terminal goes with its connection: a detached run has none' };
  const { stdin: _stdin, stdout: _stdout, stderr: _stderr, recordsHead: _head, terminal: _terminal, ...wishes } = found;
  const { takesInput } = isRecord(given) ? given : {};
  if (takesInput === undefined) return wishes;
  return typeof takesInput === 'boolean' ? { ...wishes, takesInput } : { bad: 'takesInput is not true or false' };
}

/** There was no command: it is over already, and has its end on record. */
const failed = object({ result: oneOf(RESULTS), status: orNull(integer(0, 255)), reason: text });
const detached = object({ record, host: text, failed: optional(failed) });
const {
  stdin: _stdin,
  stdout: _stdout,
  stderr: _stderr,
  recordsHead: _head,
  terminal: _terminal,
  ...properties
} = runStart.params.properties ?? {};

/** On one machine, as `run.start`; answered once it has been started there. */
export const runDetach: Method<RunDetach, Detached> = {
  name: 'run.detach',
  params: { type: 'object', properties: { ...properties, takesInput: truth.schema }, required: ['command'] },
  result: detached.schema,
  parseParams: parseRunDetach,
  parseResult: (result) => detached.read(result),
};

/**
 * To that one of its hosts that is so many-th in the record. `output` brings both outputs, tagged; `run.ended` follows for
 * the number that the answer gives, and `run.cancel` with it ends the watching alone.
 */
export const runAttach = method('run.attach', {
  params: object({ id: record, host: count, from, input: optional(stream), output: stream }),
  result: object({ run: stream, host: text }),
});

/** Ends a detached run on all its hosts. `away`: as soon as the machine is there again. */
export const runEnd = method('run.end', {
  params: object({ id: record }),
  result: object({ hosts: listOf(object({ host: text, state: oneOf(['ended', 'ending', 'away']) })) }),
});

// ── of a machine ──

export const DETACHED = {
  start: 'detached.start',
  attach: 'detached.attach',
  await: 'detached.await',
  cancel: 'detached.cancel',
  /** A notification of the machine, once for each `detached.await`. */
  ended: 'detached.ended',
} as const;

const HEX = /^[0-9a-f]*$/;

function hex(digits: number): Shape<string> {
  return {
    what: `${digits} hexadecimal digits`,
    schema: { type: 'string', pattern: `^[0-9a-f]{${digits}}$` },
    read: (value) => (typeof value === 'string' && value.length === digits && HEX.test(value) ? value : undefined),
  };
}

const key = hex(32);
const digest = hex(64);

export const detachedStart = object({
  key,
  command,
  env: mapOf(text),
  cwd: optional(directory),
  timeoutMs: optional(integer(1, MAX_TIMEOUT_MS)),
  takesInput: truth,
  /** Of each output, for the record. */
  keptBytes: count,
  recordsHead: optional(digest),
});

export const detachedStarted = object({ failed: optional(failed) });

export const detachedAttach = object({ key, from, input: optional(stream), output: stream });
export const detachedKey = object({ key });

const FACTS = { bytes: count, sha256: digest } as const;
/** Base64. */
const OUTPUT = object({ ...FACTS, head: text, tail: text });

export const detachedEnded = object({
  key,
  result: oneOf(RESULTS),
  status: orNull(integer(0, 255)),
  signal: optional(integer(1)),
  reason: optional(text),
  stdin: object(FACTS),
  stdout: OUTPUT,
  stderr: OUTPUT,
});
