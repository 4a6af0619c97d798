// Which servers' keys the commands know: those in the state directory. What is met first is said on stderr.

import { join } from 'node:path';
import type { Trust } from '../../client/trust.ts';
import { KNOWN_SERVERS_FILE, KnownServers } from '../../config/known-servers.ts';
import { stateDirectory } from '../../config/state.ts';

export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stderr: { write(text: string): unknown };
}

export function trustFor(
  command: string,
  { environment, stderr }: Surroundings = { environment: process.env, stderr: process.stderr },
): Trust {
  return {
    meet: (server, fingerprint) =>
      new KnownServers(join(stateDirectory(environment), KNOWN_SERVERS_FILE)).meet(server, fingerprint),
    tell: (line) => void stderr.write(`partyline ${command}: ${line}\n`),
  };
}
