// Where a command is to run: `web[1-9],#lab,rack=r1*,!web3`. Parsed once, then held against the machines there are.
// Whatever is unclear is refused as a whole: a target that hits too much, or silently nothing, is what operators fear.

import { ALL } from '../chat/send.ts';
import { parseGroupName } from '../chat/group.ts';
import { MAX_HOST_NAME_CODE_POINTS, parseName, type Name, type NameKey, type NameRefusal } from '../name.ts';
import { expandBrackets, type BracketFault } from './brackets.ts';
import { isGlob, matchesGlob } from './glob.ts';

/** UTF-16 units: as long as a line of the line protocol may be. */
export const MAX_TARGETS_LENGTH = 65_536;
/** Names after their brackets are written out: more machines than one server has, fewer than take a turn too long. */
export const MAX_TARGET_NAMES = 10_000;
/** Globs, labels and groups; each is held against every machine. */
export const MAX_TARGET_PATTERNS = 100;

/** In every case nothing was started anywhere. */
export type TargetsRefusal =
  | { refused: 'no-targets' }
  | { refused: 'targets-too-long'; length: number; maxLength: number }
  | { refused: 'too-many-targets'; what: 'names' | 'patterns'; item: string; max: number }
  | { refused: 'bad-target'; item: string; why: TargetFault }
  /** `!web1` alone: less than what? */
  | { refused: 'only-taken-away'; items: readonly string[] }
  | { refused: 'unknown-host'; names: readonly string[] }
  /** Members, but not ones that take commands. */
  | { refused: 'no-machine'; names: readonly string[] }
  | { refused: 'unknown-group'; names: readonly string[] }
  | { refused: 'matches-nothing'; items: readonly string[] }
  /** Everything that was named was taken away again. */
  | { refused: 'nothing-left' };

export type TargetFault =
  | NameRefusal
  | BracketFault
  /** A `!` with nothing directly behind it. */
  | { readonly refused: 'nothing-taken-away' }
  /** `=web`, `rack=`: in a script, most likely a variable that is empty. */
  | { readonly refused: 'half-a-label' }
  /** `r*=1`: patterns stand behind the sign. */
  | { readonly refused: 'pattern-for-label' };

export interface Targets {
  readonly wanted: readonly Target[];
  /** Taken away after all is put together, wherever it stands. */
  readonly unwanted: readonly Target[];
  /** One name and nothing else: its output needs no label. It depends on what was typed, never on what there is. */
  readonly isOneName: boolean;
  readonly reach: Reach;
}

/** Each name is written out; or which machines are meant depends on what there is; or every machine is, less what is taken away. */
export type Reach = 'names' | 'pattern' | 'all';

type Target =
  | { readonly kind: 'all'; readonly item: string }
  | { readonly kind: 'name'; readonly item: string; readonly key: NameKey }
  | { readonly kind: 'group'; readonly item: string; readonly key: string }
  | { readonly kind: 'glob'; readonly item: string; readonly pattern: string }
  | { readonly kind: 'label'; readonly item: string; readonly label: string; readonly pattern: string };

export function parseTargets(text: string): Targets | TargetsRefusal {
  if (text.length > MAX_TARGETS_LENGTH) {
    return { refused: 'targets-too-long', length: text.length, maxLength: MAX_TARGETS_LENGTH };
  }
  // A comma or blank in brackets parts nothing; a bracket that stays open is its item's fault.
  const items = text.match(/(?:\[[^\]]*\]?|[^\s,[])+/g) ?? [];
  const wanted: Target[] = [];
  const unwanted: Target[] = [];
  const room = { names: MAX_TARGET_NAMES, patterns: MAX_TARGET_PATTERNS };
  for (const item of items) {
    const isUnwanted = item.startsWith('!');
    const targets = parseItem(isUnwanted ? item.slice(1) : item, room);
    if ('refused' in targets) return { ...targets, item };
    const into = isUnwanted ? unwanted : wanted;
    for (const target of targets) into.push(target);
  }
  if (items.length === 0) return { refused: 'no-targets' };
  if (wanted.length === 0) return { refused: 'only-taken-away', items };
  const [only = ''] = items;
  const isOneName = items.length === 1 && !only.includes('[') && wanted[0]?.kind === 'name';
  return { wanted, unwanted, isOneName, reach: reachOf(wanted, items) };
}

function reachOf(wanted: readonly Target[], items: readonly string[]): Reach {
  if (wanted.some(({ kind }) => kind === 'all')) return 'all';
  const isWrittenOut = wanted.every(({ kind }) => kind === 'name') && !items.some((item) => item.includes('['));
  return isWrittenOut ? 'names' : 'pattern';
}

interface Room {
  names: number;
  patterns: number;
}

type ItemRefusal =
  | Omit<Extract<TargetsRefusal, { refused: 'bad-target' }>, 'item'>
  | Omit<Extract<TargetsRefusal, { refused: 'too-many-targets' }>, 'item'>;

/** Brackets first, whatever they stand in: `rack=r[1-2]` and `#lab[1-2]` are two each. */
function parseItem(item: string, room: Room): readonly Target[] | ItemRefusal {
  if (item === '') return { refused: 'bad-target', why: { refused: 'nothing-taken-away' } };
  const texts = expandBrackets(item, room.names);
  if (texts === 'too-many') return { refused: 'too-many-targets', what: 'names', max: MAX_TARGET_NAMES };
  if ('refused' in texts) return { refused: 'bad-target', why: texts };
  room.names -= texts.length;
  const targets: Target[] = [];
  for (const text of texts) {
    const target = parseTarget(text);
    if ('refused' in target) return { refused: 'bad-target', why: target };
    if (target.kind !== 'name') room.patterns -= 1;
    if (room.patterns < 0) return { refused: 'too-many-targets', what: 'patterns', max: MAX_TARGET_PATTERNS };
    targets.push(target);
  }
  return targets;
}

function parseTarget(item: string): Target | TargetFault {
  if (item.startsWith('#')) {
    const group = parseGroupName(item);
    if (!('refused' in group)) return { kind: 'group', item, key: group.key };
    return group.why === 'no-hash' ? { refused: 'empty' } : group.why;
  }
  if (item.includes('=')) return parseLabel(item);
  // Whoever types * means all of them, and is to be asked as for `all`.
  if (/^\*+$/.test(item)) return { kind: 'all', item };
  if (isGlob(item)) return parseGlob(item);
  const name = parseName(item, { maxCodePoints: MAX_HOST_NAME_CODE_POINTS });
  if ('refused' in name) return name;
  return name.key === ALL ? { kind: 'all', item } : { kind: 'name', item, key: name.key };
}

function parseLabel(item: string): Target | TargetFault {
  const sign = item.indexOf('=');
  const label = item.slice(0, sign).normalize('NFC');
  const pattern = item.slice(sign + 1).normalize('NFC');
  if (label === '' || pattern === '') return { refused: 'half-a-label' };
  return isGlob(label) ? { refused: 'pattern-for-label' } : { kind: 'label', item, label, pattern };
}

/** Compared with keys, so its letters become what they are in a key. What no name can hold it could never match. */
function parseGlob(item: string): Target | TargetFault {
  let pattern = '';
  const characters = Array.from(item.normalize('NFC'));
  const maxCodePoints = MAX_HOST_NAME_CODE_POINTS;
  if (characters.length > maxCodePoints) return { refused: 'too-long', codePoints: characters.length, maxCodePoints };
  for (const character of characters) {
    const letter = isGlob(character) ? { key: character } : parseName(character);
    // Where a name may not begin with it, or which way it is written, depends on the rest.
    if ('refused' in letter && letter.refused === 'bad-character') return letter;
    pattern += 'key' in letter ? letter.key : character.toLowerCase();
  }
  return { kind: 'glob', item, pattern: pattern.normalize('NFC') };
}

export interface TargetHost {
  readonly name: Name;
  readonly key: NameKey;
  readonly labels: ReadonlyMap<string, string>;
}

/** Who there is: machines, connected or not, and whoever could be taken for one. */
export interface TargetWorld<Host extends TargetHost> {
  readonly serverKey: NameKey;
  /** All of them: asked for only where a target is no name. */
  hosts(): readonly Host[];
  host(key: NameKey): Host | undefined;
  /** Somebody else has the name. */
  isMember(key: NameKey): boolean;
  group(key: string): { readonly members: Iterable<{ readonly key: NameKey }> } | undefined;
}

export interface Resolved<Host> {
  /** In the order in which a person would list them: web2 before web10. */
  readonly hosts: readonly Host[];
  /** The server itself is meant too; it has to be named for that. */
  readonly isServerMeant: boolean;
}

const SERVER = Symbol('server');

export function resolveTargets<Host extends TargetHost>(
  { wanted, unwanted }: Targets,
  world: TargetWorld<Host>,
): Resolved<Host> | TargetsRefusal {
  const search = new Search(world);
  const meant = new Set(wanted.flatMap((target) => search.find(target)));
  // All are looked for, also those already taken away: a slip in what is to be spared must not go unnoticed.
  for (const found of unwanted.flatMap((target) => search.find(target))) meant.delete(found);
  if (search.refusal !== undefined) return search.refusal;
  if (meant.size === 0) return { refused: 'nothing-left' };
  const isServerMeant = meant.delete(SERVER);
  const hosts = [...meant].filter((found) => found !== SERVER);
  return { hosts: inNaturalOrder(hosts), isServerMeant };
}

/** Finds what each target means, and keeps all that means nothing. */
class Search<Host extends TargetHost> {
  readonly #world: TargetWorld<Host>;
  readonly #unknown = new Set<string>();
  readonly #people = new Set<string>();
  readonly #groups = new Set<string>();
  readonly #barren = new Set<string>();

  constructor(world: TargetWorld<Host>) {
    this.#world = world;
  }

  find(target: Target): readonly (Host | typeof SERVER)[] {
    if (target.kind === 'name') return this.#named(target.item, target.key);
    const hosts = this.#matching(target);
    if (hosts === undefined) this.#groups.add(target.item);
    else if (hosts.length === 0) this.#barren.add(target.item);
    return hosts ?? [];
  }

  get refusal(): TargetsRefusal | undefined {
    if (this.#unknown.size > 0) return { refused: 'unknown-host', names: [...this.#unknown] };
    if (this.#people.size > 0) return { refused: 'no-machine', names: [...this.#people] };
    if (this.#groups.size > 0) return { refused: 'unknown-group', names: [...this.#groups] };
    if (this.#barren.size > 0) return { refused: 'matches-nothing', items: [...this.#barren] };
    return undefined;
  }

  #named(item: string, key: NameKey): readonly (Host | typeof SERVER)[] {
    if (key === this.#world.serverKey) return [SERVER];
    const host = this.#world.host(key);
    if (host !== undefined) return [host];
    (this.#world.isMember(key) ? this.#people : this.#unknown).add(item);
    return [];
  }

  /** Undefined: there is no such group. */
  #matching(target: Exclude<Target, { kind: 'name' }>): readonly Host[] | undefined {
    if (target.kind === 'group') {
      const group = this.#world.group(target.key);
      // People are in groups too; nobody expects a command to run on them.
      return group && Array.from(group.members).flatMap(({ key }) => this.#world.host(key) ?? []);
    }
    return this.#world.hosts().filter((host) => fits(target, host));
  }
}

function fits(target: Exclude<Target, { kind: 'name' | 'group' }>, { key, labels }: TargetHost): boolean {
  switch (target.kind) {
    case 'all':
      return true;
    case 'glob':
      return matchesGlob(target.pattern, key);
    case 'label': {
      const value = labels.get(target.label);
      return value !== undefined && matchesGlob(target.pattern, value);
    }
  }
}

/** Whether one machine is among those that are meant; what else is meant need not be there yet. */
export function isMeant(
  { wanted, unwanted }: Targets,
  host: TargetHost,
  { group }: Pick<TargetWorld<TargetHost>, 'group'>,
): boolean {
  const isFor = (target: Target): boolean => {
    if (target.kind === 'name') return target.key === host.key;
    if (target.kind !== 'group') return fits(target, host);
    return Iterator.from(group(target.key)?.members ?? []).some(({ key }) => key === host.key);
  };
  return wanted.some(isFor) && !unwanted.some(isFor);
}

/** The same for the server itself, which is meant by its name alone. */
export function isNamed({ wanted, unwanted }: Targets, key: NameKey): boolean {
  const isFor = (target: Target): boolean => target.kind === 'name' && target.key === key;
  return wanted.some(isFor) && !unwanted.some(isFor);
}

function inNaturalOrder<Host extends TargetHost>(hosts: readonly Host[]): Host[] {
  return hosts
    .map((host) => ({ host, place: placeOf(host.key) }))
    .sort((a, b) => (a.place < b.place ? -1 : a.place > b.place ? 1 : 0))
    .map(({ host }) => host);
}

/** Compared as text it puts numbers by their value: each has the count of its digits before it. */
function placeOf(key: NameKey): string {
  const counted = key.replace(/0*([0-9]+)/g, (_, digits: string) => `${String.fromCharCode(digits.length)}${digits}`);
  // What is left equal so, 1 and 01, is told apart by all of it.
  return `${counted}\0${key}`;
}
