// What whoever started the server had open, and did not mean for commands: a lock that a script holds (`exec 200>lock`), a
// file that only root may read. Node keeps from its children those up to 15 and what follows without a gap, and libuv
// opens all of its own so that no child gets it: what is left is let go of here, before anything is started.

import { closeSync, readdirSync, readFileSync } from 'node:fs';

/** Linux has it there. Elsewhere nothing comes so far: on macOS libuv asks the system to pass on what is named, only. */
const OWN = '/proc/self';
/** Standard input, output, error. */
const STANDARD = 3;
/** `O_CLOEXEC` on every processor that Node runs on, in `flags:` of proc_pid_fdinfo(5), which is octal. */
const CLOSES_ON_EXEC = 0o2000000;

/** Closes what this process was given beyond its standard three, and would give to each that it starts. */
export function closeInherited(): void {
  for (const descriptor of descriptors()) {
    if (descriptor < STANDARD) continue;
    try {
      if (isPassedOn(descriptor)) closeSync(descriptor);
    } catch {
      // The one that the list was read with; or a file that could not be written to its end, closed all the same.
    }
  }
}

function descriptors(): readonly number[] {
  try {
    return readdirSync(`${OWN}/fd`).map(Number);
  } catch {
    return []; // without /proc
  }
}

function isPassedOn(descriptor: number): boolean {
  const said = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`${OWN}/fdinfo/${descriptor}`, 'latin1'))?.[1];
  return said !== undefined && (Number.parseInt(said, 8) & CLOSES_ON_EXEC) === 0;
}
