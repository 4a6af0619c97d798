// Where a command starts, if not where commands start by themselves. Whoever runs as another user is to get nowhere that
// this user could not: so the runner process goes there with that user's rights, and the command is born there.

import { getuid, setegid, setgroups, seteuid, chdir } from 'node:process';
import type { Identity } from './control.ts';

/** Where the runner process is otherwise: it keeps no file system in use. */
export const NOWHERE = '/';

/** Once, before anything is started: what root is in by its groups is not the user's. */
export function dropGroups(identity: Identity | undefined): void {
  if (identity !== undefined && getuid?.() === 0) setgroups?.([]);
}

/** Does it there. What is thrown is thrown on; in particular what the system says of a directory that cannot be entered. */
export function doneIn<Result>(directory: string, identity: Identity | undefined, action: () => Result): Result {
  // Then it is another user's directory, and root may go anywhere.
  const isOther = identity !== undefined && getuid?.() === 0;
  try {
    if (isOther) {
      setegid?.(identity.gid);
      seteuid?.(identity.uid);
    }
    chdir(directory);
  } finally {
    if (isOther) {
      seteuid?.(0);
      setegid?.(0);
    }
  }
  try {
    return action();
  } finally {
    chdir(NOWHERE);
  }
}
