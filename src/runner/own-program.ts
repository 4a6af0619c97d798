// Where `partyline` itself is, for commands to find it: `partyline echo`, `partyline send` in a script. At the end of their
// PATH, so that it stands in nobody's way.

import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/** Beside `src`; a symbolic link that somebody has called it by leads here. */
const OWN_DIRECTORY = join(import.meta.dirname, '..', '..');
const PROGRAM = 'partyline';
/** Of others, the right to go through a directory, or to execute a file. */
const OTHERS_EXECUTE = 0o001;

/**
 * The directory, if there is such a program in it. `forOthers`: only if everybody may go there, since a directory of the
 * PATH that may not be searched makes "permission denied" of every "not found" (execvp(3)).
 */
export function findOwnProgram(forOthers: boolean, directory = OWN_DIRECTORY): string | undefined {
  // It would be two directories.
  if (directory.includes(delimiter)) return undefined;
  const program = join(directory, PROGRAM);
  try {
    accessSync(program, constants.X_OK);
    return forOthers && !isOpenToOthers(program) ? undefined : directory;
  } catch {
    return undefined;
  }
}

function isOpenToOthers(path: string): boolean {
  const above = dirname(path);
  return (statSync(path).mode & OTHERS_EXECUTE) !== 0 && (above === path || isOpenToOthers(above));
}

/** As the last one, unless it is there. */
export function withOwnProgram(path: string, directory: string | undefined): string {
  return directory === undefined || path.split(delimiter).includes(directory)
    ? path
    : `${path}${delimiter}${directory}`;
}
