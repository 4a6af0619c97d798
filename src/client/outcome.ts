// How a command went, as a program reads it: the words of the contract, and no exception among them.

import type { RunEnd } from './run.ts';

/** POSIX shells add the signal's number to this (XCU 2.8.2). */
export const SIGNAL_STATUS_BASE = 128;

/** `status` is what a shell would report, and null where the command did not run or nobody knows. */
export type RunResult =
  | { readonly result: 'exited' | 'timeout'; readonly status: number }
  | { readonly result: 'signalled'; readonly status: number; readonly signal: number }
  /** Null: before it had started. `reason`: it was not this program that ended it. */
  | { readonly result: 'cancelled'; readonly status: number | null; readonly reason?: string }
  /** Nothing was started. `code` is the server's: `not-allowed`, `unknown-host`, `needs-approval`, … */
  | { readonly result: 'denied' | 'offline'; readonly status: null; readonly code: string; readonly reason: string }
  /** Nobody knows how it ended, or whether it began. */
  | { readonly result: 'lost'; readonly status: null; readonly reason: string };

export function resultOf(end: RunEnd): RunResult {
  switch (end.end) {
    case 'lost':
      return { result: 'lost', status: null, reason: end.reason };
    case 'refused': {
      const { code, message } = end;
      return { result: code === 'offline' ? code : 'denied', status: null, code, reason: message };
    }
    case 'ended': {
      const { result, status, reason } = end;
      if (result === 'signalled') return { result, status, signal: status - SIGNAL_STATUS_BASE };
      if (result === 'cancelled') return { result, status, ...(reason === undefined ? {} : { reason }) };
      return { result, status };
    }
  }
}
