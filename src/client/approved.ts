// One request for approval for many machines, over whichever connection there is.

import { getApproval, type Approval, type Asking } from './approval.ts';
import { commandOf } from './command-run.ts';
import { RefusedError, UnreachableError } from './errors.ts';
import type { ManyOptions, Meant } from './many.ts';
import type { RunWishes } from './run.ts';
import type { Running } from './running.ts';

/** Those that were approved. Throws a `RefusedError`, an `UnreachableError` or the signal's reason; nothing was started then. */
export async function approvedFor(options: ManyOptions, running: Running): Promise<Meant> {
  const { on, cwd, env = {}, timeoutMs, stdin, onApproval, signal = new AbortController().signal } = options;
  if (onApproval === undefined || stdin !== undefined) {
    const why = stdin === undefined ? '' : ', and what they approve gets no input';
    throw new RefusedError('needs-approval', `Somebody else has to approve the command${why}; nothing was started`);
  }
  signal.throwIfAborted();
  const wishes = {
    command: commandOf(options),
    on,
    env,
    ...(cwd === undefined ? {} : { cwd }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
  const decided = await ask(running, wishes, { onApproval, signal });
  signal.throwIfAborted();
  if ('lost' in decided) throw new UnreachableError(`${decided.lost}; nothing was started`);
  if ('refused' in decided) throw new RefusedError(decided.code, decided.refused);
  const { hosts, approval } = decided.approved;
  return { hosts, approval };
}

function ask(running: Running, wishes: RunWishes, asking: Asking): Promise<Approval> {
  return new Promise((resolve, reject) => {
    running.start({
      begin(_runs, wire) {
        getApproval(wire, wishes, asking).then(resolve, reject);
        // Somebody else takes their time: what starts meanwhile does not wait for that.
        return Promise.resolve();
      },
      refuse: ({ reason }) => resolve({ lost: reason }),
    });
  });
}
