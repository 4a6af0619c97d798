// The line by which a server answers the first one of ours, in the protocols that are lines at their beginning.

import type { Socket } from 'node:net';
import { REAL_CLOCK, type Clock } from '../net/dial.ts';
import { noAnswerWithin } from '../net/reason.ts';
import { PROMPT } from '../protocol/line/prompt.ts';
import { quote } from '../protocol/text.ts';

export interface FirstLineOptions {
  /** Milliseconds until it must have come. */
  readonly deadlineMs: number;
  /** Of the line with its end. */
  readonly maxBytes: number;
  /** A question without a line end that may come instead. */
  readonly question?: string;
  readonly clock?: Clock | undefined;
}

export type FirstLine =
  /** The line with its end, and what came behind it in the same reading. */
  | { readonly line: Buffer; readonly rest: Buffer }
  /** Why there is none; its subject is `it`, the server. `isAsked`: the question came instead. `isSilent`: nothing did. */
  | { readonly none: string; readonly isAsked?: true; readonly isSilent?: true };

const PROMPT_BYTES = Buffer.from(PROMPT);

/** Reads it and leaves the socket paused. A server that was quicker than we were has asked for a name: skipped. */
export async function readFirstLine(
  socket: Socket,
  { deadlineMs, maxBytes, question, clock = REAL_CLOCK }: FirstLineOptions,
): Promise<FirstLine> {
  let bytes = Buffer.alloc(0);
  const { promise, resolve } = Promise.withResolvers<FirstLine>();
  const onData = (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    const from = bytes.subarray(0, PROMPT_BYTES.length).equals(PROMPT_BYTES) ? PROMPT_BYTES.length : 0;
    const to = bytes.indexOf('\n', from) + 1;
    if (to > 0 && to - from <= maxBytes) resolve({ line: bytes.subarray(from, to), rest: bytes.subarray(to) });
    else if (question !== undefined && bytes.subarray(from).toString() === question) {
      resolve({ none: `it asked ${quote(question)}`, isAsked: true });
    } else if (bytes.length - from > maxBytes)
      resolve({ none: `it answered ${quote(bytes.subarray(from).toString())}` });
  };
  const onEnd = () => {
    const said = bytes.length === 0 ? 'without an answer' : `after ${quote(bytes.toString())}`;
    resolve({ none: `it closed the connection ${said}` });
  };
  const onError = (error: Error) => resolve({ none: `the connection to it broke (${error.message})` });
  const cancelDeadline = clock.after(deadlineMs, () => {
    if (bytes.length === 0) resolve({ none: noAnswerWithin(deadlineMs), isSilent: true });
    else resolve({ none: `only ${quote(bytes.toString())} within ${deadlineMs / 1_000} s` });
  });
  socket.on('data', onData).on('end', onEnd).on('error', onError).resume();
  try {
    return await promise;
  } finally {
    cancelDeadline();
    socket.pause();
    socket.off('data', onData).off('end', onEnd).off('error', onError);
  }
}
