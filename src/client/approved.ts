// One request for approval for many machines, over whichever connection there is.

import { getApproval, NEEDS_APPROVAL, wordsForNeeding, type Approval, type Asking } from './approval.ts';
import { RefusedError, UnreachableError } from './errors.ts';
import type { ManyOptions, Meant } from './many.ts';
import type { RunWishes } from './run.ts';
import type { Running, Startable } from './running.ts';
import { wishesOf } from './wishes.ts';

/** Those that were approved. Throws a `RefusedError`, an `UnreachableError` or the signal's reason; nothing was started then. */
export async function approvedFor(options: ManyOptions, running: Running): Promise<Meant> {
  const { stdin, onApproval, signal = new AbortController().signal } = options;
  if (onApproval === undefined || stdin !== undefined) {
    throw new RefusedError(NEEDS_APPROVAL, wordsForNeeding({ hasInput: stdin !== undefined }));
  }
  signal.throwIfAborted();
  const decided = await ask(running, wishesOf(options), { onApproval, signal });
  if ('lost' in decided) throw new UnreachableError(`${decided.lost}; nothing was started`);
  if ('refused' in decided) throw new RefusedError(decided.code, decided.refused);
  const { hosts, approval } = decided.approved;
  return { hosts, approval };
}

/** Whoever takes it back does not wait for the server, nor for a connection. */
async function ask(running: Running, wishes: RunWishes, asking: Asking): Promise<Approval> {
  const { signal } = asking;
  const { promise, resolve, reject } = Promise.withResolvers<Approval>();
  const request: Startable = {
    begin(_runs, wire) {
      const { promise: answered, resolve: onAnswered } = Promise.withResolvers<void>();
      // Somebody else takes their time: what starts meanwhile does not wait for that.
      getApproval(wire, wishes, { ...asking, onAnswered })
        .then(resolve, reject)
        .finally(onAnswered);
      return answered;
    },
    refuse: ({ reason }) => resolve({ lost: reason }),
  };
  const onAbort = () => {
    running.withdraw(request);
    reject(signal.reason);
  };
  signal.addEventListener('abort', onAbort);
  try {
    running.start(request);
    return await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
