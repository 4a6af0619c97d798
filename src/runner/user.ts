// Another user to run commands as (`serve --run-as USER`), looked up in the system's user database, which may be more
// than a file: hence getent, or id where there is no getent.

import { execFile } from 'node:child_process';
import { getuid } from 'node:process';

export interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

/** The user database may be behind a network; a server that waits longer for it is not starting. */
const LOOK_UP_MS = 10_000;
/** What useradd(8) accepts, so that no name is taken for an option. */
const NAME = /^[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?$/;

/** The user, or why commands cannot run as that user. */
export async function lookUpUser(name: string): Promise<User | { reason: string }> {
  if (!NAME.test(name)) return { reason: `Cannot run commands as ${JSON.stringify(name)}: not a user's name` };
  const found = (await outputOf('getent', ['passwd', name])) ?? (await outputOf('id', ['-P', name])) ?? '';
  const user = parsePasswd(found);
  if (user === undefined) return { reason: `Cannot run commands as ${name}: no such user` };
  const own = getuid?.();
  if (own !== 0 && own !== user.uid) return { reason: `Cannot run commands as ${name}: only root may change users` };
  return user;
}

/** passwd(5): seven fields; `id -P` of the BSDs gives ten, three more before the full name. */
export function parsePasswd(text: string): User | undefined {
  const fields = (text.split('\n')[0] ?? '').split(':');
  const [name, , uid, gid] = fields;
  const [home, shell] = fields.slice(fields.length === 10 ? 8 : 5);
  if (name === undefined || uid === undefined || gid === undefined || home === undefined) return undefined;
  if (!/^\d+$/.test(uid) || !/^\d+$/.test(gid)) return undefined;
  return { name, uid: Number(uid), gid: Number(gid), home: home || '/', shell: shell || '/bin/sh' };
}

/** Undefined when the program is missing or found nothing. */
function outputOf(file: string, args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(file, args, { timeout: LOOK_UP_MS }, (error, stdout) => resolve(error ? undefined : stdout));
  });
}
