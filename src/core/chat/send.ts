// Who gets a message: one, several or everyone. All of them or none.

import type { Cast } from '../event.ts';
import { parseName } from '../name.ts';
import type { SendRefusal } from '../refusal.ts';
import type { Member } from '../session.ts';

export const ALL = 'all';

type Directory = { get(key: string): Member | undefined };

export interface Recipients {
  readonly members: readonly Member[];
  readonly cast: Cast;
}

/** Names to members, duplicates merged; the cast is counted afterwards. One unknown name refuses the whole. */
export function recipientsOf(names: readonly string[], directory: Directory): Recipients | SendRefusal {
  const members = new Set<Member>();
  const unknown: string[] = [];
  for (const given of names) {
    const parsed = parseName(given);
    const member = 'refused' in parsed ? undefined : directory.get(parsed.key);
    if (member !== undefined) members.add(member);
    else if (given.toLowerCase() === ALL) return { refused: 'all-among-names' };
    else unknown.push(given);
  }
  if (unknown.length > 0) return { refused: 'unknown-recipient', names: unknown };
  return { members: [...members], cast: members.size === 1 ? 'singlecast' : 'multicast' };
}
