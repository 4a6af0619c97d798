// A policy as it stands in a file (TOML 1.0, docs/guide/run.md): of a server, who may run what where; of a machine, what it
// lets anybody run. Whatever is unclear is refused, with its line: a policy that is half understood lets somebody in.

import { parse, TomlError } from 'smol-toml';
import { parseGroupName } from '../chat/group.ts';
import { parseName, type NameKey, type NameRefusal } from '../name.ts';
import type { GroupRefusal } from '../refusal.ts';
import { parseEnvironmentPattern, type EnvironmentPattern } from './environment.ts';
import type { Grant } from './grant.ts';
import { hasClass, parsePattern, type Pattern, type PatternFault } from './pattern.ts';
import type { Policy, Rule, Who } from './policy.ts';
import { lineOf, type Path } from './policy-line.ts';
import { parseTargets, type Targets, type TargetsRefusal } from './targets.ts';
import { isVerbName, placesIn, toVerbWord, type Parameter, type Verb } from './verb.ts';

/** UTF-16 units: some thousand rules. */
export const MAX_POLICY_LENGTH = 65_536;

export interface PolicyRefusal {
  readonly refused: 'bad-policy';
  readonly line: number;
  readonly why: PolicyFault;
}

export type PolicyFault =
  | { readonly kind: 'words'; readonly words: string }
  | { readonly kind: 'name'; readonly given: string; readonly name: NameRefusal }
  | { readonly kind: 'group'; readonly group: Extract<GroupRefusal, { refused: 'bad-group' }> }
  | { readonly kind: 'targets'; readonly targets: TargetsRefusal };

export function parsePolicy(text: string): Policy | PolicyRefusal {
  return readWith(text, (reader, root) => {
    reader.only(root, [], ['groups', 'allow', 'verb', 'env']);
    const groups = groupsIn(reader, root);
    const verbs = verbsIn(reader, root);
    const rules = reader.tables(root['allow'], ['allow']).map((table, at): Rule => {
      const path = ['allow', at];
      reader.only(table, path, ['who', 'on', 'run', 'verbs', 'shell', 'cwd', 'tty', 'approve']);
      const grant = {
        patterns: patternsIn(reader, table['run'], [...path, 'run']),
        verbs: reader.texts(table['verbs'] ?? [], [...path, 'verbs']).flatMap((name, index) => {
          const verb = verbs.get(name);
          return verb ?? reader.wrong([...path, 'verbs', index], `there is no [verb.${name}]`) ?? [];
        }),
        hasShell: reader.truth(table['shell'], [...path, 'shell']),
        hasTerminal: reader.truth(table['tty'], [...path, 'tty']),
        directories: directoriesIn(reader, table['cwd'], [...path, 'cwd']),
      };
      if (grant.patterns.length === 0 && grant.verbs.length === 0 && !grant.hasShell) {
        reader.wrong(path, 'the rule allows nothing: run, verbs or shell = true is missing');
      }
      return {
        who: whoIn(reader, table['who'], { path: [...path, 'who'], groups, roles: ASKING }),
        on: targetsIn(reader, table['on'], [...path, 'on']),
        grant,
        approve: approversIn(reader, table['approve'], { path: [...path, 'approve'], groups }),
      };
    });
    return { rules, verbs, env: environmentIn(reader, root['env']) };
  });
}

/** Of a machine: what it runs for its server, whoever asks there, and what it passes of the environment. */
export interface HostRules extends Grant {
  readonly env: readonly EnvironmentPattern[];
}

export function parseHostPolicy(text: string): HostRules | PolicyRefusal {
  return readWith(text, (reader, root) => {
    reader.only(root, [], ['allow', 'shell', 'verb', 'cwd', 'tty', 'env']);
    return {
      patterns: patternsIn(reader, root['allow'], ['allow']),
      verbs: [...verbsIn(reader, root).values()],
      hasShell: reader.truth(root['shell'], ['shell']),
      hasTerminal: reader.truth(root['tty'], ['tty']),
      directories: directoriesIn(reader, root['cwd'], ['cwd']),
      env: environmentIn(reader, root['env']),
    };
  });
}

type Table = Readonly<Record<string, unknown>>;

const PATTERN_FAULTS: Readonly<Record<PatternFault, string>> = {
  empty: 'a pattern begins with a program',
  'too-long': 'a pattern has too many words',
  'rest-inside': '** stands at the end of a pattern',
  class:
    'brackets stand for no characters here: * is any characters of a word, ? is one, a bracket too; ** at the end is any words',
};

function patternsIn(reader: Reader, given: unknown, path: Path): Pattern[] {
  if (given === undefined) return [];
  if (!Array.isArray(given)) return reader.wrong(path, 'a list of patterns is expected') ?? [];
  const items: readonly unknown[] = given;
  return items.flatMap((item, at) => {
    const isOne = typeof item === 'string' || (Array.isArray(item) && item.every((word) => typeof word === 'string'));
    if (!isOne) return reader.wrong([...path, at], 'a pattern is a text, or a list of words') ?? [];
    const pattern = parsePattern(typeof item === 'string' ? item : reader.texts(item, [...path, at]));
    return 'refused' in pattern ? (reader.wrong([...path, at], PATTERN_FAULTS[pattern.refused]) ?? []) : pattern;
  });
}

function directoriesIn(reader: Reader, given: unknown, path: Path): readonly string[] {
  return reader.texts(given ?? [], path).map((pattern, at) => {
    if (!pattern.startsWith('/')) reader.wrong([...path, at], 'a directory is named from the root: /srv/app');
    if (hasClass(pattern)) reader.wrong([...path, at], PATTERN_FAULTS.class);
    return pattern;
  });
}

function environmentIn(reader: Reader, given: unknown): readonly EnvironmentPattern[] {
  return reader.texts(given ?? [], ['env']).flatMap((text, at) => {
    const pattern = parseEnvironmentPattern(text);
    return typeof pattern === 'string' ? (reader.wrong(['env', at], pattern) ?? []) : pattern;
  });
}

function groupsIn(reader: Reader, root: Table): ReadonlyMap<string, readonly Who[]> {
  const groups = new Map<string, readonly Who[]>();
  for (const [name, given] of Object.entries(reader.table(root['groups'], ['groups']))) {
    const path = ['groups', name];
    const group = parseGroupName(name.startsWith('#') ? name : `#${name}`);
    if ('refused' in group) {
      reader.fault(path, { kind: 'group', group });
      continue;
    }
    if (groups.has(group.key)) reader.wrong(path, `${group.name} is in [groups] already, in another spelling`);
    const members = reader.texts(given, path).flatMap((member, at) => accountNamed(reader, member, [...path, at]));
    groups.set(group.key, members);
  }
  return groups;
}

interface WhoPlace {
  readonly path: Path;
  readonly groups: ReadonlyMap<string, readonly Who[]>;
}

function approversIn(reader: Reader, given: unknown, place: WhoPlace): readonly Who[] {
  if (given === undefined) return [];
  const approvers = whoIn(reader, given, { ...place, roles: APPROVING });
  // Groups may have no members, and an empty list would be a rule that needs nobody.
  if (approvers.length === 0) reader.wrong(place.path, APPROVING.nobody);
  return approvers;
}

interface RoleWords {
  readonly known: ReadonlyMap<string, Who>;
  /** Why others are none. */
  readonly unknown: Readonly<Record<string, string>>;
  readonly form: string;
  readonly nobody: string;
}

const OPERATOR: [string, Who] = ['role:operator', { kind: 'role', role: 'operator' }];
const MEMBER: [string, Who] = ['role:member', { kind: 'role', role: 'member' }];
const OWNER: [string, Who] = ['role:owner', { kind: 'role', role: 'owner' }];
const ASKING: RoleWords = {
  known: new Map([OPERATOR, MEMBER]),
  unknown: { 'role:owner': 'the owner may run everything as it is', 'role:guest': 'guests never run anything' },
  form: 'a role is role:operator or role:member',
  nobody: 'the rule is for nobody',
};
const APPROVING: RoleWords = {
  known: new Map([OPERATOR, MEMBER, OWNER]),
  unknown: { 'role:guest': 'guests never approve anything' },
  form: 'a role is role:owner, role:operator or role:member',
  nobody: 'nobody could approve; without the key nobody need',
};

function whoIn(
  reader: Reader,
  given: unknown,
  { path, groups, roles }: WhoPlace & { readonly roles: RoleWords },
): readonly Who[] {
  if (given === undefined) return reader.wrong(path.slice(0, -1), 'the rule does not say who') ?? [];
  const names = reader.texts(given, path);
  if (names.length === 0) reader.wrong(path, roles.nobody);
  return names.flatMap((name, at): readonly Who[] => {
    const here = [...path, at];
    const role = roles.known.get(name);
    if (role !== undefined) return [role];
    if (name.startsWith('role:')) return reader.wrong(here, roles.unknown[name] ?? roles.form) ?? [];
    if (!name.startsWith('#')) return accountNamed(reader, name, here);
    const group = parseGroupName(name);
    if ('refused' in group) return reader.fault(here, { kind: 'group', group }) ?? [];
    const members = groups.get(group.key);
    // A group of the chat is whoever joins it: it is no reason to let anybody run anything.
    return members ?? reader.wrong(here, `${name} is not in [groups] of this file`) ?? [];
  });
}

function accountNamed(reader: Reader, given: string, path: Path): readonly Who[] {
  const name = parseName(given);
  if (!('refused' in name)) return [{ kind: 'account', key: name.key satisfies NameKey }];
  return reader.fault(path, { kind: 'name', given, name }) ?? [];
}

const NOWHERE: Targets = { wanted: [], unwanted: [], isOneName: false, reach: 'names' };

function targetsIn(reader: Reader, given: unknown, path: Path): Targets {
  if (given === undefined) return reader.wrong(path.slice(0, -1), 'the rule does not say on which machines') ?? NOWHERE;
  const targets = parseTargets(typeof given === 'string' ? given : reader.texts(given, path).join(','));
  return 'refused' in targets ? (reader.fault(path, { kind: 'targets', targets }) ?? NOWHERE) : targets;
}

function verbsIn(reader: Reader, root: Table): ReadonlyMap<string, Verb> {
  const verbs = new Map<string, Verb>();
  for (const [name, given] of Object.entries(reader.table(root['verb'], ['verb']))) {
    const path = ['verb', name];
    if (!isVerbName(name)) reader.wrong(path, 'a verb is called by letters, digits, - and _');
    const { command, ...rest } = reader.table(given, path);
    if (command === undefined) reader.wrong(path, 'the verb has no command');
    const words = reader.texts(command ?? [], [...path, 'command']);
    if (command !== undefined && words.length === 0) reader.wrong([...path, 'command'], 'the command is empty');
    const parameters = new Map<string, Parameter>();
    for (const [at, word] of words.entries()) {
      const here = [...path, 'command', at];
      const [place, another] = placesIn(word);
      if (another !== undefined) reader.wrong(here, 'a word has one parameter at most');
      if (place === undefined) continue;
      if (at === 0) reader.wrong(here, 'the program itself is no parameter');
      if (!Object.hasOwn(rest, place)) reader.wrong(here, `what {${place}} may be is not said: ${place} = […]`);
      parameters.set(place, parameters.get(place) ?? parameterIn(reader, rest[place], [...path, place]));
    }
    for (const key of Object.keys(rest)) {
      if (!parameters.has(key)) reader.wrong([...path, key], `the command has no {${key}}`);
    }
    const parameter = (place: string) => parameters.get(place) ?? { name: place, values: { oneOf: [] } };
    verbs.set(name, {
      name,
      words: words.map((word) => toVerbWord(word, parameter)),
      parameters: [...parameters.values()],
    });
  }
  return verbs;
}

function parameterIn(reader: Reader, given: unknown, path: Path): Parameter {
  const name = String(path.at(-1));
  if (typeof given === 'string' && given !== '') {
    if (hasClass(given)) reader.wrong(path, PATTERN_FAULTS.class);
    return { name, values: { pattern: given } };
  }
  const oneOf = given === undefined ? [] : reader.texts(given, path);
  if (given !== undefined && oneOf.length === 0) reader.wrong(path, 'the parameter can have no value');
  return { name, values: { oneOf } };
}

/** Keeps the first fault, and goes on with what stands in for the value. */
class Reader {
  found: { readonly path: Path; readonly why: PolicyFault } | undefined;

  fault(path: Path, why: PolicyFault): undefined {
    this.found ??= { path, why };
  }

  wrong(path: Path, words: string): undefined {
    return this.fault(path, { kind: 'words', words });
  }

  /** A slip in a name must not leave out a restriction. */
  only(table: Table, path: Path, known: readonly string[]): void {
    for (const key of Object.keys(table)) {
      if (!known.includes(key)) this.wrong([...path, key], `${key} is not known here: ${known.join(', ')} are`);
    }
  }

  texts(given: unknown, path: Path): readonly string[] {
    if (!Array.isArray(given)) return this.wrong(path, 'a list of texts is expected') ?? [];
    const items: readonly unknown[] = given;
    return items.flatMap((item, at) =>
      typeof item === 'string' ? item : (this.wrong([...path, at], 'a list of texts is expected') ?? []),
    );
  }

  truth(given: unknown, path: Path): boolean {
    if (given !== undefined && typeof given !== 'boolean') this.wrong(path, 'true or false is expected');
    return given === true;
  }

  table(given: unknown, path: Path): Table {
    if (given === undefined) return {};
    return isTable(given) ? given : (this.wrong(path, `[${path.join('.')}] is expected`) ?? {});
  }

  tables(given: unknown, path: Path): readonly Table[] {
    if (given === undefined) return [];
    const items: readonly unknown[] = Array.isArray(given) ? given : [undefined];
    const tables = items.filter(isTable);
    return tables.length === items.length ? tables : (this.wrong(path, `[[${path.join('.')}]] is expected`) ?? []);
  }
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function readWith<Value>(text: string, read: (reader: Reader, root: Table) => Value): Value | PolicyRefusal {
  const no = (line: number, why: PolicyFault) => ({ refused: 'bad-policy', line, why }) as const;
  if (text.length > MAX_POLICY_LENGTH) {
    const words = `it has ${text.length} characters, ${MAX_POLICY_LENGTH} are the most`;
    return no(1, { kind: 'words', words });
  }
  const root = parseToml(text);
  if (root instanceof TomlError) return no(root.line, { kind: 'words', words: wordsFor(root) });
  const reader = new Reader();
  const value = read(reader, root);
  if (reader.found === undefined) return value;
  const { path, why } = reader.found;
  const there = (beginning: string) => {
    const part = parseToml(beginning);
    return part instanceof TomlError ? undefined : part;
  };
  return no(lineOf(text, path, there), why);
}

function parseToml(text: string): Table | TomlError {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof TomlError) return error;
    throw error;
  }
}

/** Its first line, without the piece of text that follows. */
function wordsFor({ message }: TomlError): string {
  const [words = ''] = message.split('\n');
  return words.replace(/^Invalid TOML document: /, '');
}
