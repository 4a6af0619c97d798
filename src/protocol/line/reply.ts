// What a person sees: each text the line protocol sends, as a function of its facts.

import { escapeControls } from '../text.ts';
import { FORMS } from './request.ts';

/** Sent without a line end. */
export const PROMPT = 'Enter your name: ';

export type Cast = 'singlecast' | 'multicast' | 'broadcast';

/** `YYYY-MM-DD HH:MM:SS` in the server's local time. */
export function formatDate(atMs: number): string {
  const at = new Date(atMs);
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${date} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

function two(value: number): string {
  return value < 10 ? `0${value}` : `${value}`;
}

export function formatWelcome(serverName: string, atMs: number): string {
  return `Connected with ${serverName} at date_time = ${formatDate(atMs)}\n${formatHelp()}`;
}

/** A blank line, the help, a blank line. */
export function formatHelp(): string {
  return `\nFormat: ${Object.values(FORMS).join(' | ')}\n\n`;
}

export function formatList(names: readonly string[], atMs: number): string {
  return `${formatDate(atMs)}\nAvailable client: ${names.join(' ')}\n`;
}

/** The two lines that a recipient sees. `date` is formatted by the caller, once for all messages of a second. */
export function formatMessage(date: string, message: { from: string; cast: Cast; text: string }): string {
  return `${date}\n${message.from} (${message.cast}ed) : ${escapeControls(message.text)}\n`;
}

/** One line; `reason` says what was attempted and what is true now. */
export function formatError(reason: string): string {
  return `error: ${escapeControls(reason)}\n`;
}

/** One line of a run's output. */
export function formatOutput(host: string, stream: 'stdout' | 'stderr', text: string): string {
  return `${host}${stream === 'stdout' ? '|' : '!'} ${escapeControls(text)}\n`;
}
