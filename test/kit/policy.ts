// Files that say who may run what, for servers and machines of a test's own.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Of a server, which reads it at its start and on SIGHUP. */
export function writePolicy(directory: string, text: string): string {
  return write(directory, 'policy.toml', text);
}

/** Of a machine, which reads it at its start and on SIGHUP. */
export function writeHostPolicy(directory: string, text: string): string {
  return write(directory, 'host-policy.toml', text);
}

function write(directory: string, name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}
