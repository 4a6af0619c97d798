// Where the token for a server is kept: for its key, by whatever name or address it is reached.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { credentialPath } from '../../config/credentials.ts';
import { KNOWN_SERVERS_FILE, KnownServers } from '../../config/known-servers.ts';
import { stateDirectory } from '../../config/state.ts';

/**
 * `HOST:PORT` as the token is filed: `server` itself, or another one that has the same key, if somebody is logged in there.
 * `fingerprint`: of the key that the server has shown; without it, the one that is remembered.
 */
export function keptAs(server: string, fingerprint?: string): string {
  const directory = stateDirectory();
  const isKept = (one: string) => existsSync(credentialPath(directory, one));
  if (isKept(server)) return server;
  const known = new KnownServers(join(directory, KNOWN_SERVERS_FILE));
  const key = fingerprint ?? known.keyOf(server);
  return key === undefined ? server : (known.serversOf(key).find(isKept) ?? server);
}
