// Why a command was not started, in words, where more than one door says it: who, where, what was attempted, and that
// nothing happened.

import type { RunRefusal } from '../../core/refusal.ts';
import { A_LOGIN_SHELL, isLoginShell } from '../../core/run/login-shell.ts';
import type { AskedCommand } from '../../core/run/policy.ts';
import type { Setting } from '../../core/run/record.ts';
import type { Refusing } from '../../core/run/records.ts';
import type { PolicyFault } from '../../core/run/policy-file.ts';
import { VERB_SIGN, type Parameter, type VerbRefusal } from '../../core/run/verb.ts';
import type { Role } from '../../core/session.ts';
import type { Fields } from '../../log/log.ts';
import { escapeControls, quote, shorten } from '../../protocol/text.ts';
import { commandText } from './announce.ts';
import { wordsForFault } from './words-targets.ts';
import { listed, wordsForGroupName, wordsForName } from './words.ts';

/** UTF-16 units of a command in a refusal: it stays a sentence. */
const MAX_COMMAND_LENGTH = 120;

export interface Denied {
  readonly by: string;
  readonly role: Role;
  /** Undefined: it was only asked where. */
  readonly command: AskedCommand | undefined;
  readonly setting: Setting;
}

const AS: Readonly<Record<Role, string>> = {
  owner: 'the owner',
  operator: 'an operator',
  member: 'a member',
  guest: 'a guest',
};

/** `Cannot run uptime on "web1" as Janaki, a member: the policy does not allow it; nothing was started`. */
export function wordsForDenied(
  { names, why }: Extract<RunRefusal, { refused: 'not-allowed' }>,
  { by, role, command, setting: { cwd, hasTerminal } }: Denied,
): string {
  const isLogin = command !== undefined && command.kind !== 'verb' && isLoginShell(command);
  const what = command === undefined ? 'anything' : isLogin ? A_LOGIN_SHELL : askedText(command);
  const where = `${cwd === undefined ? '' : ` in ${quote(cwd, MAX_COMMAND_LENGTH)}`}${hasTerminal ? ' in a terminal' : ''}`;
  return `Cannot run ${what}${where} on ${listed(names)} as ${by}, ${AS[role]}: ${reasonFor(why, role)}; nothing was started`;
}

function reasonFor(why: 'policy' | 'server', role: Role): string {
  if (role === 'guest') return 'guests run nothing';
  return why === 'server'
    ? 'only the owner runs commands on the server itself'
    : 'the policy of the server does not allow it';
}

/** What was attempted and denied. */
export interface DeniedAttempt {
  readonly names: readonly string[];
  readonly why: Extract<RunRefusal, { refused: 'not-allowed' }>['why'] | VerbRefusal;
}

/** The same for the records. */
export function recordOfDenied(
  { names, why }: DeniedAttempt,
  { role, command, setting }: Denied & { readonly command: AskedCommand },
): Pick<Refusing, 'hosts' | 'command' | 'setting' | 'result'> {
  const reason = typeof why === 'string' ? reasonFor(why, role) : whyNoVerb(why);
  return { hosts: names, command, setting, result: { result: 'denied', status: null, reason } };
}

/** The same for the log. */
export function fieldsOfDenied(
  { names, why }: DeniedAttempt,
  { by, role, command, setting: { cwd, hasTerminal } }: Denied,
): Fields {
  return {
    by,
    role,
    on: shorten(names.join(','), MAX_COMMAND_LENGTH),
    command: command === undefined ? undefined : askedText(command),
    ...(cwd === undefined ? {} : { cwd: shorten(cwd, MAX_COMMAND_LENGTH) }),
    ...(hasTerminal ? { terminal: true } : {}),
    ...(typeof why === 'string' ? {} : { reason: shorten(whyNoVerb(why), MAX_COMMAND_LENGTH) }),
  };
}

export function askedText(asked: AskedCommand, maxLength = MAX_COMMAND_LENGTH): string {
  const text =
    asked.kind === 'verb' ? escapeControls([`${VERB_SIGN}${asked.verb}`, ...asked.args].join(' ')) : commandText(asked);
  return shorten(text, maxLength);
}

export function wordsForVerb(refusal: VerbRefusal): string {
  const attempt = `Cannot run ${VERB_SIGN}${quote(refusal.verb).slice(1, -1)}`;
  return `${attempt}: ${whyNoVerb(refusal)}; nothing was started`;
}

function whyNoVerb(refusal: VerbRefusal): string {
  if (refusal.refused === 'unknown-verb') {
    const known = refusal.known.map((verb) => `${VERB_SIGN}${verb}`);
    const there = known.length === 0 ? 'this server has no verbs' : `this server has ${known.join(', ')}`;
    return `there is no such verb; ${there}`;
  }
  const { wrong, parameters } = refusal;
  const form = [`${VERB_SIGN}${refusal.verb}`, ...parameters.map(({ name }) => name.toUpperCase())].join(' ');
  return wrong === undefined ? `its form is ${form}` : wordsForValue(wrong.parameter, quote(wrong.value));
}

function wordsForValue({ name, values }: Parameter, value: string): string {
  return 'oneOf' in values
    ? `${name} is one of ${values.oneOf.join(', ')}, not ${value}`
    : `${name} ${value} does not fit the pattern ${quote(values.pattern)}`;
}

/** What is wrong with a file of rules, after its name and line. */
export function wordsForPolicy(fault: PolicyFault): string {
  switch (fault.kind) {
    case 'words':
      return fault.words;
    case 'name':
      return `${quote(fault.given)} is no name: ${wordsForName(fault.name)}`;
    case 'group':
      return wordsForGroupName(fault.group);
    case 'targets':
      return wordsForFault(fault.targets);
  }
}
