// What can go wrong for whoever uses the library, as types: the server said no, the server is not there, or the client
// was closed. Messages are one line, fit to be shown.

import type { RpcError } from '../protocol/native/rpc.ts';
import { shown } from './shown.ts';

export type Facts = Readonly<Omit<NonNullable<RpcError['data']>, 'code'>>;

/** The server, or this client on the way to it, said no. Nothing was changed by what was asked. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  /** What a program decides by: `unknown-recipient`, `not-allowed`, … */
  readonly code: string;
  /** What belongs to the code: the `names` that are unknown, the `id` that a key stands for. */
  readonly facts: Facts;

  constructor(code: string, message: string, facts: Facts = {}) {
    super(message);
    this.code = code;
    this.facts = facts;
  }
}

/** The server could not be reached, or went away before it answered. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
  /** The request had left: whether it was carried out nobody knows. */
  readonly isUnanswered: boolean;

  constructor(message: string, { isUnanswered = false, cause }: { isUnanswered?: boolean; cause?: unknown } = {}) {
    super(message, { cause });
    this.isUnanswered = isUnanswered;
  }
}

/** The client was closed, here. */
export class ClosedError extends Error {
  override readonly name = 'ClosedError';

  constructor(message = 'The client is closed') {
    super(message);
  }
}

/** A command takes no more input: it has read what it wanted, or has ended. */
export class BrokenPipeError extends Error {
  override readonly name = 'BrokenPipeError';

  constructor(message = 'The command takes no more input') {
    super(message);
  }
}

export function refusedBy(error: RpcError): RefusedError {
  const { code = 'unknown', ...facts } = error.data ?? {};
  return new RefusedError(code, shown(error.message), facts);
}
