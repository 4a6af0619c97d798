// What a person sees: each text the line protocol sends, as a function of its facts.

import { formatDate } from '../date.ts';
import { escapeControls } from '../text.ts';
import { formatHelp } from './help.ts';

/** Sent without a line end, as the prompt for a name is. */
export const PASSWORD_PROMPT = 'Password: ';
export const NEW_PASSWORD_PROMPT = 'New password: ';

export type Cast = 'singlecast' | 'multicast' | 'broadcast';

export function formatWelcome(serverName: string, atMs: number): string {
  return `Connected with ${serverName} at date_time = ${formatDate(atMs)}\n${formatHelp()}`;
}

/** `Vamshi (guest) at Server`, and whose rights it has by a later login. */
export function formatIdentity({ name, role, rightsOf }: Identity, serverName: string): string {
  const rights = rightsOf === undefined ? '' : `, with the rights of ${rightsOf.name} (${rightsOf.role})`;
  return `${name} (${role}) at ${serverName}${rights}\n`;
}

interface Identity {
  readonly name: string;
  readonly role: string;
  readonly rightsOf: { readonly name: string; readonly role: string } | undefined;
}

export function formatList(names: readonly string[], atMs: number): string {
  return `${formatDate(atMs)}\nAvailable client: ${names.join(' ')}\n`;
}

/**
 * The two lines that a recipient sees, with the id of the message if it wants to know. `date` is formatted by the
 * caller, once for all messages of a second.
 */
export function formatMessage(date: string, { fromName, cast, text }: Message, id?: number): string {
  const head = id === undefined ? date : `${date} #${id}`;
  return `${head}\n${fromName}${SAID_AS[cast]}${escapeControls(text)}\n`;
}

const SAID_AS = {
  singlecast: ' (singlecasted) : ',
  multicast: ' (multicasted) : ',
  broadcast: ' (broadcasted) : ',
} as const satisfies Record<Cast, string>;

interface Message {
  readonly fromName: string;
  readonly cast: Cast;
  readonly text: string;
}

/** One line of the history. */
export function formatPast({ id, atMs, from, to, text }: Past): string {
  return `${id} ${formatDate(atMs)} ${from} to ${to.join(' ')} : ${escapeControls(text)}\n`;
}

interface Past {
  readonly id: number;
  readonly atMs: number;
  readonly from: string;
  readonly to: readonly string[];
  readonly text: string;
}

/** `1042 bob=delivered eve=stored`: what came out for each of those it was addressed to; a group may have nobody else in it. */
export function formatReceipt(id: number, outcomes: Iterable<readonly [name: string, outcome: string]>): string {
  const each = Array.from(outcomes, ([name, outcome]) => `${name}=${outcome}`);
  return `${id} ${each.length === 0 ? 'stored for nobody' : each.join(' ')}\n`;
}

export function formatGroups(groups: Iterable<{ readonly name: string; readonly members: Iterable<string> }>): string {
  const lines = Array.from(groups, ({ name, members }) => `${name}: ${[...members].join(' ')}\n`);
  return lines.length === 0 ? 'No groups\n' : lines.join('');
}

export function formatBehind(count: number): string {
  return `catching up: ${count} behind\n`;
}

/** One line; `reason` says what was attempted and what is true now. */
export function formatError(reason: string): string {
  return `error: ${escapeControls(reason)}\n`;
}

/** One line of a run's output. */
export function formatOutput(host: string, stream: 'stdout' | 'stderr', text: string): string {
  return `${host}${stream === 'stdout' ? '|' : '!'} ${escapeControls(text)}\n`;
}
