// SIGHUP has two meanings: read the files again, says an operator; the terminal has gone, says the system.

import { closeSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';

/** Calls back at each SIGHUP of an operator, and settles once the terminal that we were started on has gone. */
export function onHangUp(reload: () => void): Promise<void> {
  const hasTerminal = isatty(0) || isatty(1) || isatty(2);
  return new Promise((resolve) => {
    process.on('SIGHUP', () => {
      if (hasTerminal && hasTerminalGone()) resolve();
      else reload();
    });
  });
}

function hasTerminalGone(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return false;
  } catch {
    return true;
  }
}
