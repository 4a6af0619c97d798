// Why a command was ended before it ended by itself, in words for its record.

import type { Name } from '../name.ts';
import type { RunResult } from '../ports.ts';
import type { Dismissal } from '../session.ts';

export const HAS_GONE = 'whoever ran it has gone';
export const REVOKED = 'whoever ran it was revoked';
export const RIGHTS_OVER = 'whoever ran it has no longer the rights that a token had lent';
export const SERVER_CLOSED = 'the server closed';

export function endedBy(name: Name): string {
  return `ended by ${name}`;
}

export function whyDismissed(dismissal: Dismissal): string {
  switch (dismissal.why) {
    case 'revoked':
      return REVOKED;
    case 'token-removed':
      return 'the token that whoever ran it came in by was removed';
    case 'name-taken':
      return 'whoever ran it was a guest, whose name is an account’s now';
    case 'unreadable':
      return `the connection of whoever ran it was ended: ${dismissal.reason}`;
  }
}

/** As it is put on record: who ended it is known where it was asked for, and not where it ran. */
export type RecordedResult =
  | RunResult
  | { readonly result: 'cancelled'; readonly status: number; readonly reason: string };

export function withWhy(result: RunResult, why: string | undefined): RecordedResult {
  return result.result === 'cancelled' && why !== undefined ? { ...result, reason: why } : result;
}
