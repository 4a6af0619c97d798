// Whom one looks back at: whether there is anybody of the name that was given.

import type { Hub } from '../hub.ts';
import { parseName } from '../name.ts';
import { parseGroupName } from './group.ts';
import { ALL } from './send.ts';

/** Everyone, a group, somebody who is here, or an account, revoked or not; an invited one is nobody yet. */
export function isKnown(given: string, hub: Pick<Hub, 'directory' | 'isPresent'>): boolean {
  const { directory } = hub;
  if (given.startsWith('#')) {
    const group = parseGroupName(given);
    return !('refused' in group) && directory.group(group.key) !== undefined;
  }
  if (given.toLowerCase() === ALL) return true;
  const parsed = parseName(given);
  return !('refused' in parsed) && (directory.account(parsed.key) !== undefined || hub.isPresent(parsed.key));
}
