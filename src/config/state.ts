// Where state lives when nobody says otherwise: the platform's own place for it.

import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The directory of server and client state: `PARTYLINE_DATA`, else the platform's state directory
 * (XDG Base Directory 0.8 on Linux, Application Support on macOS, Local AppData on Windows).
 */
export function stateDirectory(environment: Environment = process.env, platform: string = process.platform): string {
  const given = environment['PARTYLINE_DATA'];
  if (given) return given;
  if (platform === 'win32') return join(environment['LOCALAPPDATA'] ?? join(home(), 'AppData', 'Local'), 'partyline');
  if (platform === 'darwin') return join(home(), 'Library', 'Application Support', 'partyline');
  // XDG says that a relative path there is invalid and is to be ignored.
  const xdg = environment['XDG_STATE_HOME'];
  return join(xdg?.startsWith('/') ? xdg : join(home(), '.local', 'state'), 'partyline');
}

/** An empty HOME is no place to keep a token: the user database knows a better one. */
function home(): string {
  return homedir() || userInfo().homedir;
}
