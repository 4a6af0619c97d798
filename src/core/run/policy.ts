// Who may run what where. Default deny: the owner may everything, a guest nothing, and everybody else what a rule of the
// server's policy says. On the server itself only the owner may, for whoever runs there could read its keys and
// everyone's words, unless commands have another user there.

import type { Directory } from '../directory.ts';
import type { Hosts, HostState } from '../hosts.ts';
import { parseName, type NameKey } from '../name.ts';
import type { RunCommand, Runner } from '../ports.ts';
import type { RunRefusal } from '../refusal.ts';
import type { Role } from '../session.ts';
import type { EnvironmentPattern } from './environment.ts';
import { permits, readingsOf, type Grant, type Manner } from './grant.ts';
import {
  isMeant,
  isNamed,
  parseTargets,
  resolveTargets,
  type Reach,
  type Targets,
  type TargetHost,
  type TargetWorld,
} from './targets.ts';
import { spellOut, type Verb, type VerbRefusal } from './verb.ts';

/** As it was read from a file. */
export interface Policy {
  readonly rules: readonly Rule[];
  readonly verbs: ReadonlyMap<string, Verb>;
  /** Of the environment, beside the usual: for commands on the server itself. */
  readonly env: readonly EnvironmentPattern[];
}

export interface Rule {
  readonly who: readonly Who[];
  readonly on: Targets;
  readonly grant: Grant;
  /** One of them has to approve; empty: nobody has. */
  readonly approve: readonly Who[];
}

export type Who =
  /** And those who may more. */
  | { readonly kind: 'role'; readonly role: Exclude<Role, 'guest'> }
  | { readonly kind: 'account'; readonly key: NameKey };

/** What there is without a file. */
export const NO_POLICY: Policy = { rules: [], verbs: new Map(), env: [] };

/** The policy in force, which a reload replaces. */
export interface RunPolicy {
  readonly current: Policy;
  /** Commands have a user of their own on the server, so that others than the owner may run there too. */
  readonly isServerOpen: boolean;
}

/** Whose rights count, and for which command; undefined: for any that they may run at all. */
export interface Asking {
  readonly role: Role;
  /** Of the account; undefined for a guest. */
  readonly key: NameKey | undefined;
  readonly command: AskedCommand | undefined;
  readonly manner?: Manner;
}

/** Where a command is to run. */
export interface Place {
  readonly name: string;
  /** Undefined: it has joined and is not connected. */
  readonly runner: Pick<Runner, 'start'> | undefined;
}

export interface Places {
  readonly places: readonly Place[];
  /** Spelled out; undefined: none was asked for. */
  readonly command: RunCommand | undefined;
  /** One name and nothing else was given: its output needs no label. */
  readonly isOneName: boolean;
  readonly reach: Reach;
}

/** It may run there once somebody else has approved: a refusal, so that nobody who overlooks it starts anything. */
export interface NeedsApproval {
  readonly refused: 'needs-approval';
  readonly names: readonly string[];
  readonly places: Places;
  /** Whoever approves is among each of these: for each machine those whom its rules name. */
  readonly approvers: Approvers;
}

export type Approvers = readonly (readonly Who[])[];

export interface RunWorld {
  readonly serverName: string;
  /** Of the server itself. */
  readonly runner: Pick<Runner, 'start'>;
  readonly hosts: Pick<Hosts, 'of' | 'all'>;
  readonly directory: Pick<Directory, 'account' | 'group'>;
  readonly isPresent: (key: NameKey) => boolean;
  readonly policy: RunPolicy;
}

/** As it was asked for: a verb is spelled out before anything is decided. */
export type AskedCommand =
  | RunCommand
  | { readonly kind: 'verb'; readonly verb: string; readonly args: readonly string[] };

function spelledOut(asked: AskedCommand, { verbs }: Policy): RunCommand | VerbRefusal {
  if (asked.kind !== 'verb') return asked;
  const verb = verbs.get(asked.verb);
  if (verb === undefined) return { refused: 'unknown-verb', verb: asked.verb, known: [...verbs.keys()] };
  const argv = spellOut(verb, asked.args);
  return 'refused' in argv ? argv : { kind: 'argv', argv };
}

/** Where those targets are, and what is to run there; no target means the server itself. All of them, or a refusal. */
export function placesFor(text: string, asking: Asking, world: RunWorld): Places | RunRefusal {
  const { serverName, policy } = world;
  const rules = asking.role === 'owner' ? 'everything' : rulesFor(asking, policy.current);
  // Whoever may nothing learns nothing about which machines there are.
  if (rules.length === 0) {
    const why = text.trim() === '' && !policy.isServerOpen ? 'server' : 'policy';
    return { refused: 'not-allowed', names: [text.trim() || serverName], why };
  }
  const command = asking.command && spelledOut(asking.command, policy.current);
  if (command !== undefined && 'refused' in command) return command;
  const targets = text.trim() === '' ? undefined : parseTargets(text);
  if (targets !== undefined && 'refused' in targets) return targets;
  const targetWorld = worldOf(world);
  const found = targets === undefined ? ON_SERVER : resolveTargets(targets, targetWorld);
  if ('refused' in found) return found;
  const server: Place = { name: serverName, runner: world.runner };
  const machines = found.hosts.map(({ name, state }) => ({ name, runner: state.machine?.runner }));
  const places = found.isServerMeant ? [server, ...machines] : machines;
  const { isOneName, reach } = targets ?? { isOneName: true, reach: 'names' as const };
  if (rules === 'everything') return { places, isOneName, reach, command };
  if (found.isServerMeant && !policy.isServerOpen) {
    return { refused: 'not-allowed', names: [serverName], why: 'server' };
  }
  const aboutServer = rules.filter(({ on }) => isNamed(on, targetWorld.serverKey));
  const about = new Map<string, readonly Rule[]>(found.isServerMeant ? [[serverName, aboutServer]] : []);
  for (const host of found.hosts) {
    about.set(
      host.name,
      rules.filter(({ on }) => isMeant(on, host, targetWorld)),
    );
  }
  let denied: readonly string[] = [];
  let needed: NeedsApproval | undefined;
  for (const reading of command === undefined ? [undefined] : readingsOf(command)) {
    const verdicts = new Map(Array.from(about, ([name, those]) => [name, verdictOf(those, reading, asking.manner)]));
    denied = namesWith(verdicts, (verdict) => verdict === 'denied');
    if (denied.length > 0) continue;
    const found = { places, isOneName, reach, command: reading };
    const approvers = [...verdicts.values()].filter((verdict) => typeof verdict === 'object');
    if (approvers.length === 0) return found;
    const names = namesWith(verdicts, (verdict) => typeof verdict === 'object');
    needed ??= { refused: 'needs-approval', names, places: found, approvers: withoutRepeats(approvers) };
  }
  return needed ?? { refused: 'not-allowed', names: denied, why: 'policy' };
}

const ON_SERVER = { hosts: [], isServerMeant: true } as const;

/** What the rules say of a command on one machine; a list: one of them has to approve it. */
type Verdict = 'allowed' | 'denied' | readonly Who[];

/** `rules`: those that are about whoever asks, and about the machine. One that needs nobody is enough. */
function verdictOf(rules: readonly Rule[], command: RunCommand | undefined, manner?: Manner): Verdict {
  const allowing = rules.filter(({ grant }) => command === undefined || permits(grant, command, manner));
  if (allowing.length === 0) return 'denied';
  // Where nothing is to run nobody need approve.
  const isFree = command === undefined || allowing.some(({ approve }) => approve.length === 0);
  return isFree ? 'allowed' : allowing.flatMap(({ approve }) => approve);
}

function namesWith(verdicts: ReadonlyMap<string, Verdict>, isMeantOne: (verdict: Verdict) => boolean): string[] {
  return Array.from(verdicts)
    .filter(([, verdict]) => isMeantOne(verdict))
    .map(([name]) => name);
}

function withoutRepeats(approvers: Approvers): Approvers {
  return [...new Map(approvers.map((list) => [JSON.stringify(list), list])).values()];
}

const RANKS: readonly Role[] = ['guest', 'member', 'operator', 'owner'];

/** Whether somebody is one of these: by account, or by a role that is enough. */
export function isAmong(whos: readonly Who[], { role, key }: Pick<Asking, 'role' | 'key'>): boolean {
  if (role === 'guest') return false;
  return whos.some((one) =>
    one.kind === 'account' ? one.key === key : RANKS.indexOf(one.role) <= RANKS.indexOf(role),
  );
}

function rulesFor(asking: Asking, { rules }: Policy): readonly Rule[] {
  return rules.filter(({ who }) => isAmong(who, asking));
}

interface Found extends TargetHost {
  readonly state: HostState;
}

function worldOf({ serverName, hosts, directory, isPresent }: RunWorld): TargetWorld<Found> {
  const parsed = parseName(serverName);
  if ('refused' in parsed) throw new Error(`Not a name: ${serverName}`);
  // One of each, whichever way it is found; most commands name theirs, and no other is looked at then.
  const known = new Map<NameKey, Found>();
  const toFound = (state: HostState): Found => {
    const { name, key } = state.member;
    const found = known.get(key) ?? { name, key, labels: state.labels, state };
    known.set(key, found);
    return found;
  };
  return {
    serverKey: parsed.key,
    hosts: () => Array.from(hosts.all(), toFound),
    host: (key: NameKey) => {
      const state = hosts.of(key);
      return state && toFound(state);
    },
    isMember: (key: NameKey) => isPresent(key) || directory.account(key) !== undefined,
    group: (key: string) => directory.group(key),
  };
}
