// What a run's end is called and which status it gives (the table in docs/protocol/native.md).

import type { RunResult } from '../ports.ts';

/** What a shell says of a command that was not found, and of one that was found and cannot be executed (POSIX XCU 2.8.2). */
export const NOT_FOUND_STATUS = 127;
export const NOT_EXECUTABLE_STATUS = 126;
/** Status of a command that ran past its time, as from timeout(1). */
export const TIMEOUT_STATUS = 124;
/** POSIX shells add the signal's number to this (XCU 2.8.2). */
export const SIGNAL_STATUS_BASE = 128;

const SIGTERM = 15;
/** Told to end before it had begun, so that it never did: whoever starts one and ends it at once is told the same. */
export const NEVER_BEGAN: RunResult = { result: 'cancelled', status: SIGNAL_STATUS_BASE + SIGTERM };

export type Ending = { kind: 'code'; code: number } | { kind: 'signal'; signal: number };

/** Why the runner ended the command itself, if it did. */
export type EndedFor = 'timeout' | 'cancel' | undefined;

/** Timeout and cancel speak first: a command that was told to end is not reported by how it took the news. */
export function resultOf(ending: Ending, endedFor: EndedFor): RunResult {
  if (endedFor === 'timeout') return { result: 'timeout', status: TIMEOUT_STATUS };
  const status = ending.kind === 'code' ? ending.code : SIGNAL_STATUS_BASE + ending.signal;
  if (endedFor === 'cancel') return { result: 'cancelled', status };
  if (ending.kind === 'code') return { result: 'exited', status };
  return { result: 'signalled', status, signal: ending.signal };
}
