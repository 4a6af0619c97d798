// Who may run what where. Default deny: the server itself obeys its owner only, for whoever runs there could read its
// keys and everyone's words; and so do machines, until a policy says more.

import type { Hosts } from '../hosts.ts';
import { isSameName, parseName } from '../name.ts';
import type { Runner } from '../ports.ts';
import type { RunRefusal } from '../refusal.ts';
import type { Role } from '../session.ts';

/** Where a command is to run. */
export interface Place {
  readonly name: string;
  /** Undefined: it has joined and is not connected. */
  readonly runner: Pick<Runner, 'start'> | undefined;
}

export interface RunWorld {
  readonly serverName: string;
  /** Of the server itself. */
  readonly runner: Pick<Runner, 'start'>;
  readonly hosts: Pick<Hosts, 'of'>;
}

/** Where those names are, as they were given; none means the server itself. All of them, or a refusal. */
export function placesOf(names: readonly string[], role: Role, world: RunWorld): Place[] | RunRefusal {
  if (role !== 'owner') return { refused: 'not-allowed' };
  const server: Place = { name: world.serverName, runner: world.runner };
  if (names.length === 0) return [server];
  const places = new Map<string, Place>();
  const unknown: string[] = [];
  for (const name of names) {
    const place = isSameName(name, world.serverName) ? server : machineOf(name, world);
    if (place === undefined) unknown.push(name);
    else places.set(place.name, place);
  }
  return unknown.length > 0 ? { refused: 'unknown-host', names: unknown } : [...places.values()];
}

function machineOf(name: string, { hosts }: RunWorld): Place | undefined {
  const parsed = parseName(name);
  const found = 'refused' in parsed ? undefined : hosts.of(parsed.key);
  return found === undefined ? undefined : { name: found.member.name, runner: found.machine?.runner };
}
