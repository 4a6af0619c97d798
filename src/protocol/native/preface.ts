// The first line each way: who speaks, and which version of the native protocol.
//
//   C: PARTYLINE/1            the highest version the client speaks
//   S: PARTYLINE/1 Server     the version chosen, and the server's name
//   S: PARTYLINE/0 reason     no version in common; the server closes

import { PROMPT } from '../line/prompt.ts';
import { quote } from '../text.ts';

export const VERSION = 1;

/** What every native connection begins with; listeners tell it from other protocols by these bytes. */
export const PREFACE_START = 'PARTYLINE/';

/** What the line protocol says after a silence. A client greeted so before its preface arrived skips exactly this. */
export const LINE_GREETING = PROMPT;

export type ServerPreface = { kind: 'chosen'; version: number; serverName: string } | { kind: 'none'; reason: string };

export function formatClientPreface(): string {
  return `${PREFACE_START}${VERSION}\n`;
}

export function formatServerPreface(answer: ServerPreface): string {
  const rest = answer.kind === 'chosen' ? `${answer.version} ${answer.serverName}` : `0 ${answer.reason}`;
  return `${PREFACE_START}${rest}\n`;
}

/** The highest version that a client's preface line (without its LF) names; undefined if it is no preface. */
export function parseClientPreface(line: string): number | undefined {
  const match = /^PARTYLINE\/(0|[1-9][0-9]{0,3})$/.exec(line);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

export function chooseVersion(highest: number, serverName: string): ServerPreface {
  if (highest >= VERSION) return { kind: 'chosen', version: VERSION, serverName };
  return { kind: 'none', reason: `no common version: this server speaks ${VERSION}, the client at most ${highest}` };
}

/** A server's preface line (without its LF); a text says why it is none that this client can go on from. */
export function parseServerPreface(line: string): ServerPreface | string {
  const match = /^PARTYLINE\/(0|[1-9][0-9]{0,3}) (.+)$/.exec(line);
  if (match?.[1] === undefined || match[2] === undefined) return `not a native server: it answered ${quote(line)}`;
  const version = Number(match[1]);
  if (version === 0) return { kind: 'none', reason: match[2] };
  if (version > VERSION) return `the server chose version ${version}, which was not offered`;
  return { kind: 'chosen', version, serverName: match[2] };
}
