// Groups: members that are addressed together, as `#name`. Nobody owns one: it is there as long as somebody is in it.

import { parseName, type NameRefusal } from '../name.ts';

/** Groups that one member may be in. */
export const MAX_GROUPS_OF_ONE = 100;

/** The `#` belongs to the name as it is shown; what follows is a name like any other. */
export function parseGroupName(
  text: string,
): { name: string; key: string } | { refused: 'bad-group'; name: string; why: NameRefusal | 'no-hash' } {
  if (!text.startsWith('#')) return { refused: 'bad-group', name: text, why: 'no-hash' };
  const parsed = parseName(text.slice(1));
  if ('refused' in parsed) return { refused: 'bad-group', name: text, why: parsed };
  return { name: `#${parsed.name}`, key: `#${parsed.key}` };
}
