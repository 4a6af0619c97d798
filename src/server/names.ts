// What a server is called, by people and by certificates.

import { hostname } from 'node:os';
import { ALL } from '../core/chat/send.ts';
import { isSameName, parseName } from '../core/name.ts';
import { wordsForName } from '../doors/shared/words.ts';
import type { Listen } from '../net/listen.ts';
import { quote } from '../protocol/text.ts';

/** What a certificate is for: every name that is listened on, and those that lead here from this machine. */
export function namesOf(listen: readonly Listen[]): string[] {
  return ['localhost', '127.0.0.1', '::1', hostname(), ...listen.map(({ host }) => host)];
}

/** Why a server cannot have these names, in words for the operator who gave them. */
export function namesAreUsable(name: string, owner: string): string | undefined {
  for (const given of [name, owner]) {
    const parsed = parseName(given);
    if ('refused' in parsed) return `Cannot use ${quote(given)} as a name: ${wordsForName(parsed)}`;
    if (isSameName(given, ALL)) return `Cannot use ${quote(given)} as a name: it means everyone`;
  }
  return isSameName(name, owner)
    ? `Cannot call both server and owner ${quote(name)}: a name belongs to one`
    : undefined;
}
