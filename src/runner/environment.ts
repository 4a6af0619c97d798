// The environment that a command gets: a few names of the server's own, and what the request brought, which has been held
// against an allow-list by then. What must never pass is looked for once more.

import { userInfo } from 'node:os';
import { isNeverPassed } from '../core/run/environment.ts';
import { withOwnProgram } from './own-program.ts';
import type { User } from './user.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** About the machine: right for every user on it. */
const OF_THE_MACHINE = /^(?:LANG|LC_[A-Z]+|TZ)$/;
/** About the user whom the server runs as. */
const OF_THE_USER = /^(?:PATH|HOME|USER|LOGNAME|SHELL|TMPDIR)$/;
/** As login(1) gives it to a user who is not root. */
const PLAIN_PATH = '/usr/local/bin:/usr/bin:/bin';
const DEFAULT_SHELL = '/bin/sh';

/** Of the user whom this program runs as. */
function shellOf(): string {
  try {
    return userInfo().shell || DEFAULT_SHELL;
  } catch {
    // A user that is not in the database.
    return DEFAULT_SHELL;
  }
}

export interface Surroundings {
  readonly server: Environment;
  readonly user?: User | undefined;
  /** The directory of this program; undefined: commands are not to find it. */
  readonly ownProgram?: string | undefined;
}

/** What every command gets. Once for a server: to look through the environment of a process takes as long as a request. */
export function baseEnvironment({ server, user, ownProgram }: Surroundings): Readonly<Record<string, string>> {
  const given: Record<string, string> & { PATH: string } = { PATH: PLAIN_PATH };
  for (const [name, value] of Object.entries(server)) {
    if (value === undefined) continue;
    if (OF_THE_MACHINE.test(name) || (user === undefined && OF_THE_USER.test(name))) given[name] = value;
  }
  given.PATH = withOwnProgram(given.PATH, ownProgram);
  // A service has none of its own.
  if (user === undefined) given['SHELL'] ??= shellOf();
  return user === undefined
    ? given
    : { ...given, HOME: user.home, USER: user.name, LOGNAME: user.name, SHELL: user.shell };
}

export function commandEnvironment(
  requested: Environment,
  base: Readonly<Record<string, string>>,
): Record<string, string> {
  const passed = { ...base };
  for (const [name, value] of Object.entries(requested)) {
    if (value !== undefined && !isNeverPassed(name)) passed[name] = value;
  }
  return passed;
}
