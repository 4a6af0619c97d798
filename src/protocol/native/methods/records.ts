// Records of runs: a part of the list, one of them as a whole, and what is kept of its output.

import { method } from '../method.ts';
import { integer, listOf, object, oneOf, optional, orNull, text, time, truth, type Shape } from '../shape.ts';
import { command, RESULTS } from './run.ts';

/** Records of one answer. */
export const MAX_PAGE_RUNS = 1_000;
/** Bytes of output in one answer: in base64 it fits a CONTROL frame. */
export const MAX_OUTPUT_BYTES = 262_144;

const record = integer(1);
const count = integer(0);
export const digest: Shape<string> = {
  what: '64 hexadecimal digits',
  schema: { type: 'string', pattern: '^[0-9a-f]{64}$' },
  read: (value) => (typeof value === 'string' && /^[0-9a-f]{64}$/.test(value) ? value : undefined),
};

/** `running` has no end yet; `denied` and `offline` were never started there. */
const RESULT = {
  host: text,
  result: oneOf(['running', 'offline', ...RESULTS]),
  status: orNull(integer(0, 255)),
} as const;

const RUN = {
  id: record,
  by: text,
  /** The account whose rights counted, where it has another name. */
  as: optional(text),
  /** Who else had to say yes, and the digest of what they saw. */
  approvedBy: optional(text),
  approval: optional(digest),
  from: text,
  hosts: listOf(text),
  /** So many more have no place here; `run.show` has the result of each. */
  hostsLeftOut: optional(count),
  command,
  /** It was longer, and what is here is its beginning. */
  isCut: optional(truth),
  /** Or asked for, where that was all. */
  started: time,
  ended: orNull(time),
  /** What became of it, where it waited for somebody else to approve it and nobody did. */
  decided: optional(oneOf(['denied', 'expired', 'withdrawn'])),
} as const;

/** The newest, older than `before`; oldest first. */
export const runList = method('run.list', {
  params: object({ before: optional(record), limit: optional(integer(1, MAX_PAGE_RUNS)) }),
  result: object({ runs: listOf(object({ ...RUN, results: listOf(object(RESULT)) })), more: truth }),
});

const FACTS = { bytes: count, sha256: digest } as const;
/** Of an output the first and the last bytes are kept, so many of each; all of it where they are as many as there were. */
const OUTPUT = object({ ...FACTS, head: count, tail: count });

/** Results from `first` on, as many as fit; `next` is where to go on. Streams are null where nobody counted. */
export const runShow = method('run.show', {
  params: object({ id: record, first: optional(count) }),
  result: object({
    ...RUN,
    /** Where it was to start; null: where commands start by themselves. All three are missing where no record says. */
    cwd: optional(orNull(text)),
    /** Names of the environment that it was given. */
    env: optional(listOf(text)),
    terminal: optional(truth),
    /** So many refused attempts of the account before this one have no record of their own. */
    leftOut: optional(count),
    results: listOf(
      object({
        ...RESULT,
        signal: optional(integer(1)),
        reason: optional(text),
        started: time,
        ended: orNull(time),
        stdin: orNull(object(FACTS)),
        stdout: orNull(OUTPUT),
        stderr: orNull(OUTPUT),
      }),
    ),
    next: orNull(count),
  }),
});

/** Of the host that is so many-th in the record, from that byte of what is kept on. */
export const runOutput = method('run.output', {
  params: object({ id: record, host: count, stream: oneOf(['stdout', 'stderr']), first: optional(count) }),
  result: object({ data: text, next: orNull(count) }),
});
