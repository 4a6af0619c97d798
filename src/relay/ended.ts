// How a run ended, as it is told over a native connection and as the core has it.

import type { RunResult } from '../core/ports.ts';
import type { DetachedEnd, DetachKey } from '../core/run/detached.ts';
import type { KeptOutput, StreamFacts } from '../core/run/record.ts';
import { TIMEOUT_STATUS } from '../core/run/result.ts';
import { MAX_REASON_LENGTH } from '../protocol/native/limits.ts';
import type { RunEnded } from '../protocol/native/methods/run.ts';
import { shorten } from '../protocol/text.ts';

export function toRunEnded(run: number, ended: RunResult, why?: string): RunEnded {
  const mayGoOn = 'mayGoOn' in ended;
  return {
    run,
    ...toFields(ended),
    ...((ended.result === 'cancelled' || mayGoOn) && why !== undefined ? { reason: why } : {}),
    ...(mayGoOn ? { cut: true } : {}),
  };
}

/** With what is to be on record of it. */
export function toDetachedEnded(key: DetachKey, { result, streams }: DetachedEnd) {
  const { stdin, stdout, stderr } = streams;
  return { key, ...toFields(result), stdin, stdout: packed(stdout), stderr: packed(stderr) };
}

function packed({ bytes, sha256, head, tail }: StreamFacts & KeptOutput) {
  return { bytes, sha256, head: Buffer.from(head).toString('base64'), tail: Buffer.from(tail).toString('base64') };
}

function toFields(ended: RunResult): Omit<RunEnded, 'run'> {
  const { result, status } = ended;
  return {
    result,
    status,
    ...('signal' in ended ? { signal: ended.signal } : {}),
    // It may be what a machine has said.
    ...('reason' in ended ? { reason: shorten(ended.reason, MAX_REASON_LENGTH) } : {}),
  };
}

/** What the other end tells may contradict itself; then nobody knows how it ended. */
export function fromRunEnded({ result, status, signal, reason }: RunEnded): RunResult {
  const lost = { result: 'lost', status: null, reason: reason ?? 'its end was told in a way not known here' } as const;
  if (result === 'denied' && status === null) {
    return { result, status, reason: reason ?? 'the machine does not allow it; nothing was started there' };
  }
  if (result === 'lost' || result === 'denied' || status === null) return lost;
  switch (result) {
    case 'timeout':
      return { result, status: TIMEOUT_STATUS };
    case 'signalled':
      return signal === undefined ? lost : { result, status, signal };
    case 'exited':
    case 'cancelled':
      return { result, status };
  }
}
