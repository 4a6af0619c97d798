// Who may run what where. Default deny: the server itself obeys its owner only, for whoever runs there could read its
// keys and everyone's words; and no other machine has joined yet.

import { isSameName } from '../name.ts';
import type { RunRefusal } from '../refusal.ts';
import type { Role } from '../session.ts';

export interface RunQuestion {
  readonly role: Role;
  /** Names of machines as they were given; none means the server itself. */
  readonly hosts: readonly string[];
  readonly serverName: string;
}

/** Undefined: the command may run, on the server itself. */
export function refusalToRun({ role, hosts, serverName }: RunQuestion): RunRefusal | undefined {
  if (role !== 'owner') return { refused: 'not-allowed' };
  const unknown = hosts.filter((host) => !isSameName(host, serverName));
  return unknown.length > 0 ? { refused: 'unknown-host', names: unknown } : undefined;
}
