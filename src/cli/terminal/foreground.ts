// Whether the terminal is ours just now: what a job in the background writes there ends up in what somebody types.

import { readFileSync } from 'node:fs';

/** Linux says it in a file, for some 20 µs (proc_pid_stat(5)); Node has no tcgetpgrp(3). Elsewhere it is taken for granted. */
export function isInForeground(read = () => readFileSync('/proc/self/stat', 'latin1')): boolean {
  let stat: string;
  try {
    stat = read();
  } catch {
    return true;
  }
  // The name of the program stands in brackets, and may have blanks and brackets itself.
  const [, , ownGroup, , , terminalsGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // -1: it has no terminal of its own, and is nobody's job.
  return terminalsGroup === ownGroup || terminalsGroup === '-1';
}
