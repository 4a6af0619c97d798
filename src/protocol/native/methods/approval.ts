// A second person: asking for one, waiting, and what whoever is asked does. docs/protocol/native.md, section 13.

import { method, NOTHING, type Method } from '../method.ts';
import { isRecord } from '../rpc.ts';
import { integer, listOf, object, oneOf, optional, orNull, text, time, truth, type BadParams } from '../shape.ts';
import { digest } from './records.ts';
import { parseRunStart, runStart, type RunStart } from './run.ts';

/** Requests of one answer; a server keeps no more than twice as many. */
export const MAX_LISTED_APPROVALS = 500;

/** All that `run.start` takes but the streams: where it is to run may be several here. */
export type RunAsk = Omit<RunStart, 'stdin' | 'stdout' | 'stderr' | 'approval' | 'together' | 'recordsHead'>;

const id = integer(1, 0xffff_ffff);
const which = object({ approval: id });

const asked = object({
  approval: id,
  hash: digest,
  hosts: listOf(text),
  /** Who was told of it. */
  told: listOf(text),
  expires: time,
});

/** Read as `run.start` is, so that what is asked for is what it takes. */
function parseRunAsk(params: unknown): RunAsk | BadParams {
  if (!isRecord(params)) return { bad: 'params is not an object' };
  const read = parseRunStart({ ...params, ...STREAMS });
  if ('bad' in read) return read;
  const { stdin: _1, stdout: _2, stderr: _3, approval: _4, together: _5, recordsHead: _6, ...wishes } = read;
  return wishes;
}

const STREAMS = { stdin: 1, stdout: 3, stderr: 5 } as const;
/** What is said of a start alone. */
const OF_START: ReadonlySet<string> = new Set([...Object.keys(STREAMS), 'approval', 'together', 'recordsHead']);
const properties = Object.fromEntries(
  Object.entries(runStart.params.properties ?? {}).filter(([name]) => !OF_START.has(name)),
);

export const runAsk: Method<RunAsk, NonNullable<ReturnType<typeof asked.read>>> = {
  name: 'run.ask',
  params: { type: 'object', properties, required: ['command'] },
  result: asked.schema,
  parseParams: parseRunAsk,
  parseResult: (result) => asked.read(result),
};

/** `by`: who approved or denied it. */
export const approvalWait = method('approval.wait', {
  params: which,
  result: object({ how: oneOf(['approved', 'denied', 'expired', 'withdrawn']), by: orNull(text) }),
});

const SUMMARY = { approval: id, hash: digest, by: text, asked: time, expires: time, own: truth } as const;

export const approvalList = method('approval.list', {
  params: object({}),
  /** `request`: what is asked, in words and cut. */
  result: object({ approvals: listOf(object({ ...SUMMARY, request: text })), more: optional(truth) }),
});

/** `canonical` is what `hash` is the SHA-256 of. */
export const approvalShow = method('approval.show', {
  params: which,
  result: object({ ...SUMMARY, canonical: text }),
});

export const approvalGive = method('approval.give', {
  params: object({ approval: id, hash: digest }),
  result: NOTHING,
});

/** `withdrawn`: it was one's own. */
export const approvalDeny = method('approval.deny', {
  params: which,
  result: object({ how: oneOf(['denied', 'withdrawn']) }),
});
