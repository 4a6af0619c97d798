// Where the token for a server is kept: for its key, by whatever name or address it is reached.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { credentialPath } from '../../config/credentials.ts';
import { KNOWN_SERVERS_FILE, KnownServers } from '../../config/known-servers.ts';
import { stateDirectory } from '../../config/state.ts';

/**
 * `HOST:PORT` as the token is filed: `server` itself, or another one that has the same key, if somebody is logged in there.
 * `fingerprint`: of the key that the server has shown; undefined: it has shown none, and its address is all that is known.
 */
export function keptAs(server: string, fingerprint: string | undefined): string {
  const directory = stateDirectory();
  const isKept = (one: string) => existsSync(credentialPath(directory, one));
  if (fingerprint === undefined || isKept(server)) return server;
  return knownIn(directory).serversOf(fingerprint).find(isKept) ?? server;
}

/** The same before it has been reached: by the key that it had the last time. */
export function keptAsRemembered(server: string): string {
  return keptAs(server, knownIn(stateDirectory()).keyOf(server));
}

function knownIn(directory: string): KnownServers {
  return new KnownServers(join(directory, KNOWN_SERVERS_FILE));
}
