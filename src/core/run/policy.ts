// Who may run what where. Default deny: the server itself obeys its owner only, for whoever runs there could read its
// keys and everyone's words; and so do machines, until a policy says more.

import type { Directory } from '../directory.ts';
import type { Hosts, HostState } from '../hosts.ts';
import { parseName, type Name, type NameKey } from '../name.ts';
import type { Runner } from '../ports.ts';
import type { RunRefusal } from '../refusal.ts';
import type { Role } from '../session.ts';
import { parseTargets, resolveTargets, type TargetHost } from './targets.ts';

/** Where a command is to run. */
export interface Place {
  readonly name: Name | string;
  /** Undefined: it has joined and is not connected. */
  readonly runner: Pick<Runner, 'start'> | undefined;
}

export interface Places {
  readonly places: readonly Place[];
  /** One name and nothing else was given: its output needs no label. */
  readonly isOneName: boolean;
}

export interface RunWorld {
  readonly serverName: string;
  /** Of the server itself. */
  readonly runner: Pick<Runner, 'start'>;
  readonly hosts: Pick<Hosts, 'all'>;
  readonly directory: Pick<Directory, 'account' | 'group'>;
  readonly isPresent: (key: NameKey) => boolean;
}

/** Where those targets are; none means the server itself. All of them, or a refusal. */
export function placesFor(text: string, role: Role, world: RunWorld): Places | RunRefusal {
  if (role !== 'owner') return { refused: 'not-allowed' };
  const server: Place = { name: world.serverName, runner: world.runner };
  if (text.trim() === '') return { places: [server], isOneName: true };
  const targets = parseTargets(text);
  if ('refused' in targets) return targets;
  const found = resolveTargets(targets, targetWorld(world));
  if ('refused' in found) return found;
  const machines = found.hosts.map(({ name, state }) => ({ name, runner: state.machine?.runner }));
  return { places: found.isServerMeant ? [server, ...machines] : machines, isOneName: targets.isOneName };
}

interface Found extends TargetHost {
  readonly state: HostState;
}

const NO_LABELS: ReadonlyMap<string, string> = new Map();

function targetWorld({ serverName, hosts, directory, isPresent }: RunWorld) {
  const parsed = parseName(serverName);
  if ('refused' in parsed) throw new Error(`Not a name: ${serverName}`);
  const found = new Map(
    Array.from(hosts.all(), (state): [NameKey, Found] => {
      const { name, key } = state.member;
      return [key, { name, key, labels: state.machine?.labels ?? NO_LABELS, state }];
    }),
  );
  return {
    serverKey: parsed.key,
    hosts: found.values(),
    host: (key: NameKey) => found.get(key),
    isMember: (key: NameKey) => isPresent(key) || directory.account(key) !== undefined,
    group: (key: string) => directory.group(key),
  };
}
